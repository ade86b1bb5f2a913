/*
 * A KVM with introspection that is none: preloaded into QEMU, it answers the
 * introspection ioctls itself and leaves the rest to the real /dev/kvm.
 *
 *   FAKE_KVM_LOG    file that takes a line for each ioctl and for each command
 *                   that the "kernel" sees on the socket; it answers them all
 *                   with success
 *   FAKE_KVM_FAIL   file with lines "IOCTL errno": those calls fail
 *   FAKE_KVM_CAP    what KVM_CHECK_EXTENSION answers, 1 if not set
 *   FAKE_KVM_HOLD   file: while it exists, a vCPU that enters KVM_RUN stays
 *                   there, deaf to signals, until the session's socket ends;
 *                   only one if its number is in the file
 *   FAKE_KVM_SLOW   file: after the next command the "kernel" waits 50 ms
 *                   before it reads from the socket, and the file is gone
 *   FAKE_KVM_DOWN   file with "VCPU FLAGS": the next KVM_RUN of that vCPU is
 *                   KVM_EXIT_SHUTDOWN with those flags, and the file is gone
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/kvmi.h>

#include "note.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static pthread_t receiver;
static int hooked_fd = -1;
static int receiving;
static int vcpu_fd[8];

/* The errno with which @what shall fail, or 0. */
static int planned(const char *what)
{
    const char *path = getenv("FAKE_KVM_FAIL");
    FILE *f = path ? fopen(path, "re") : NULL;
    char name[32];
    int err = 0, e;

    while (f && fscanf(f, "%31s %d", name, &e) == 2) {
        if (!strcmp(name, what)) {
            err = e;
        }
    }
    if (f) {
        fclose(f);
    }
    return err;
}

static int answer(const char *what)
{
    int err = planned(what);

    errno = err;
    return err ? -1 : 0;
}

static void dawdle(void)
{
    const char *path = getenv("FAKE_KVM_SLOW");

    if (path && !unlink(path)) {
        usleep(50000);
    }
}

/* Take so many bytes from a socket that does not block; false at its end. */
static int take(void *data, size_t size)
{
    size_t done = 0;
    ssize_t n;

    while (done < size) {
        n = recv(hooked_fd, (char *)data + done, size - done, 0);
        if (n > 0) {
            done += n;
        } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            usleep(1000);
        } else {
            return 0;
        }
    }
    return 1;
}

/* Answer any command with success and nothing else; false at the end. */
static int serve(void)
{
    struct {
        struct kvmi_msg_hdr hdr;
        struct kvmi_error_code code;
    } reply = { .hdr.size = sizeof(reply.code) };
    struct kvmi_msg_hdr hdr;
    char content[KVMI_MAX_MSG_SIZE];

    if (!take(&hdr, sizeof(hdr)) || hdr.size > sizeof(content) ||
        !take(content, hdr.size)) {
        return 0;
    }
    note("RECEIVED %u\n", hdr.seq);
    reply.hdr.id = hdr.id;
    reply.hdr.seq = hdr.seq;
    send(hooked_fd, &reply, sizeof(reply), MSG_NOSIGNAL);
    return 1;
}

/* The kernel's receiver: at the end of the stream the session is over. */
static void *receive(void *opaque)
{
    while (serve()) {
        dawdle();
    }
    shutdown(hooked_fd, SHUT_RDWR);
    note("END\n");

    pthread_mutex_lock(&lock);
    receiving = 0;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static int hook(const struct kvm_introspection_hook *h)
{
    int ret = answer("HOOK");

    if (!ret && hooked_fd >= 0) {
        errno = EEXIST;
        ret = -1;
    }
    note("HOOK %d\n", ret ? -errno : 0);
    if (!ret) {
        hooked_fd = dup(h->fd);
        receiving = 1;
        pthread_create(&receiver, NULL, receive, NULL);
    }
    return ret;
}

static int unhook(void)
{
    note("UNHOOK\n");
    if (hooked_fd >= 0) {
        shutdown(hooked_fd, SHUT_RDWR);
        pthread_join(receiver, NULL);
        close(hooked_fd);
        hooked_fd = -1;
    }
    return 0;
}

static int preunhook(void)
{
    struct {
        struct kvmi_msg_hdr hdr;
        struct kvmi_event_hdr event;
    } message = {
        .hdr = { .id = KVMI_VM_EVENT, .size = sizeof(message.event), .seq = 1 },
        .event = { .event = KVMI_VM_EVENT_UNHOOK },
    };
    int ret = answer("PREUNHOOK");

    if (!ret && hooked_fd < 0) {
        errno = EFAULT;
        ret = -1;
    }
    note("PREUNHOOK %d\n", ret ? -errno : 0);
    if (!ret) {
        send(hooked_fd, &message, sizeof(message), MSG_NOSIGNAL);
    }
    return ret;
}

static int allow(const char *what, const struct kvm_introspection_feature *f)
{
    int ret = answer(what);

    note("%s %u %d\n", what, f->allow, f->id);
    return ret;
}

/* Whether the vCPU @fd is one to hold. */
static int is_held(int fd)
{
    const char *path = getenv("FAKE_KVM_HOLD");
    FILE *f = path ? fopen(path, "re") : NULL;
    unsigned int vcpu;
    int held;

    if (!f) {
        return 0;
    }
    held = fscanf(f, "%u", &vcpu) != 1 ||
           (vcpu < sizeof(vcpu_fd) / sizeof(vcpu_fd[0]) &&
            vcpu_fd[vcpu] == fd);
    fclose(f);
    return held;
}

static void hold(int fd)
{
    sigset_t all, old;

    if (!is_held(fd)) {
        return;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    pthread_mutex_lock(&lock);
    if (receiving) {
        note("HELD\n");
    }
    while (receiving) {
        pthread_cond_wait(&ended, &lock);
    }
    pthread_mutex_unlock(&lock);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Whether this KVM_RUN of @fd is said to have ended with a shutdown. */
static int down(int fd)
{
    const char *path = getenv("FAKE_KVM_DOWN");
    FILE *f = path ? fopen(path, "re") : NULL;
    struct kvm_run *run;
    unsigned int vcpu, flags;
    int ours;

    if (!f) {
        return 0;
    }
    ours = fscanf(f, "%u %i", &vcpu, &flags) == 2 &&
           vcpu < sizeof(vcpu_fd) / sizeof(vcpu_fd[0]) && vcpu_fd[vcpu] == fd;
    fclose(f);
    if (!ours || unlink(path)) {
        return 0;
    }

    run = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (run == MAP_FAILED) {
        abort();
    }
    run->exit_reason = KVM_EXIT_SHUTDOWN;
    run->flags = flags;
    munmap(run, sizeof(*run));
    note("DOWN %u\n", vcpu);
    return 1;
}

static int create_vcpu(int fd, unsigned long id)
{
    int ret = syscall(SYS_ioctl, fd, KVM_CREATE_VCPU, id);

    if (ret >= 0 && id < sizeof(vcpu_fd) / sizeof(vcpu_fd[0])) {
        vcpu_fd[id] = ret;
    }
    return ret;
}

int ioctl(int fd, unsigned long request, ...)
{
    const char *cap = getenv("FAKE_KVM_CAP");
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);

    switch (request) {
    case KVM_CHECK_EXTENSION:
        if ((unsigned long)arg == KVM_CAP_INTROSPECTION) {
            return cap ? atoi(cap) : 1;
        }
        break;
    case KVM_INTROSPECTION_HOOK:
        return hook(arg);
    case KVM_INTROSPECTION_UNHOOK:
        return unhook();
    case KVM_INTROSPECTION_PREUNHOOK:
        return preunhook();
    case KVM_INTROSPECTION_COMMAND:
        return allow("COMMAND", arg);
    case KVM_INTROSPECTION_EVENT:
        return allow("EVENT", arg);
    case KVM_CREATE_VCPU:
        return create_vcpu(fd, (unsigned long)arg);
    case KVM_RUN:
        if (down(fd)) {
            return 0;
        }
        hold(fd);
        break;
    }
    return syscall(SYS_ioctl, fd, request, arg);
}
