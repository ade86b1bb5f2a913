/*
 * Preloaded into QEMU: writes down what it asks of introspection, as fake-kvm.c
 * does, and leaves all to the kernel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/kvmi.h>

#include "note.h"

static void note_feature(const char *what,
                         const struct kvm_introspection_feature *f)
{
    note("%s %u %d\n", what, f->allow, f->id);
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list ap;
    void *arg;
    int ret, err;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);

    /* The tool is not to see the end before it is written down. */
    if (request == KVM_INTROSPECTION_UNHOOK) {
        note("UNHOOK\n");
    }

    ret = syscall(SYS_ioctl, fd, request, arg);
    err = errno;
    switch (request) {
    case KVM_INTROSPECTION_HOOK:
        note("HOOK %d\n", ret ? -err : 0);
        break;
    case KVM_INTROSPECTION_PREUNHOOK:
        note("PREUNHOOK %d\n", ret ? -err : 0);
        break;
    case KVM_INTROSPECTION_COMMAND:
        note_feature("COMMAND", arg);
        break;
    case KVM_INTROSPECTION_EVENT:
        note_feature("EVENT", arg);
        break;
    }
    errno = err;
    return ret;
}
