/*
 * What QEMU says in the handshake: which VM this is, and that it is ready.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/uuid.h"
#include "chardev/char-socket.h"
#include "crypto/random.h"
#include "hw/i386/e820_memory_layout.h"
#include "system/system.h"
#include "auth.h"
#include "hello.h"
#include "share.h"
#include "trace.h"

/* More than firmware has room for; the hello has. */
#define AREAS_MAX 1024

static uint64_t introspection_max_gpa(void)
{
    struct e820_entry *table;
    int i, n = e820_get_table(&table);
    uint64_t max_gpa = 0;

    for (i = 0; i < n; i++) {
        if (le32_to_cpu(table[i].type) == E820_RAM) {
            max_gpa = MAX(max_gpa, le64_to_cpu(table[i].address) +
                                   le64_to_cpu(table[i].length));
        }
    }
    return max_gpa;
}

static int compare_areas(const void *a, const void *b)
{
    const struct kvmi_handshake_area *x = a, *y = b;

    return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* The table of the machine, as the firmware finds it, in order. */
static void append_e820(GByteArray *hello)
{
    g_autofree struct kvmi_handshake_area *areas = NULL;
    struct e820_entry *table;
    int i, n = MIN(e820_get_table(&table), AREAS_MAX);

    areas = g_new0(struct kvmi_handshake_area, n);
    for (i = 0; i < n; i++) {
        areas[i].gpa = le64_to_cpu(table[i].address);
        areas[i].size = le64_to_cpu(table[i].length);
        areas[i].type = le32_to_cpu(table[i].type);
    }
    qsort(areas, n, sizeof(*areas), compare_areas);
    handshake_append(hello, KVMI_RECORD_E820, areas, n * sizeof(*areas));
}

/* What makes the tool's proof good for this connection only. */
static bool append_nonce(GByteArray *hello)
{
    uint8_t nonce[KVMI_HANDSHAKE_NONCE_SIZE];

    if (qcrypto_random_bytes(nonce, sizeof(nonce), NULL) < 0) {
        return false;
    }
    handshake_append(hello, KVMI_RECORD_NONCE, nonce, sizeof(nonce));
    return true;
}

static GByteArray *make_hello(Introspection *s)
{
    struct kvmi_qemu2introspector known;
    GByteArray *hello = g_byte_array_new();

    handshake_fill_hello(&known, qemu_uuid.data, s->start_time,
                         qemu_get_vm_name(), introspection_max_gpa());
    trace_introspection_hello(introspection_id(s), known.start_time,
                              known.max_gpa);
    s->offered = KVMI_FEATURE_READY | introspection_auth_features(s) |
                 introspection_share_features(s);
    g_byte_array_append(hello, (const uint8_t *)&known, sizeof(known));
    handshake_append_features(hello, s->offered);
    append_e820(hello);
    return hello;
}

bool introspection_send_hello(Introspection *s)
{
    g_clear_pointer(&s->said, g_byte_array_unref);
    s->said = make_hello(s);
    if (!append_nonce(s->said)) {
        return false;
    }
    handshake_set_size(s->said);
    return qemu_chr_fe_write_all(&s->chr, s->said->data, s->said->len) ==
           s->said->len;
}

/* It is short and the first for long: it fits, or something is wrong. */
static bool send_bytes(Introspection *s, const GByteArray *bytes,
                       const int *fds, int fd_count)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(KVMI_HANDSHAKE_FDS_MAX * sizeof(int))];
    } control = { };
    struct iovec iov = { bytes->data, bytes->len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t sent;

    if (fd_count) {
        control.head.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&control.head), fds, fd_count * sizeof(int));
        msg.msg_control = &control;
        msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    }
    sent = RETRY_ON_EINTR(sendmsg(SOCKET_CHARDEV(chr)->sioc->fd, &msg,
                                  MSG_NOSIGNAL | MSG_DONTWAIT));
    return sent == bytes->len;
}

static bool send_ready(Introspection *s, GByteArray *ready, const int *fds,
                       int fd_count, Error **errp)
{
    if (!introspection_auth_prove(s, ready, errp)) {
        return false;
    }
    if (!send_bytes(s, ready, fds, fd_count)) {
        error_setg(errp, "the tool cannot be told that it may begin");
        return false;
    }
    return true;
}

bool introspection_send_ready(Introspection *s, Error **errp)
{
    struct kvmi_handshake_ready known = { .features = s->reader.features };
    g_autoptr(GByteArray) ready = g_byte_array_new();
    int fds[KVMI_HANDSHAKE_FDS_MAX];
    int count = 0;
    bool ok;

    if (!(s->reader.features & KVMI_FEATURE_READY)) {
        return true;
    }
    g_byte_array_append(ready, (const uint8_t *)&known, sizeof(known));
    if (s->reader.features & KVMI_FEATURE_MEMORY) {
        count = introspection_share_append(s, ready, fds, errp);
        if (count < 0) {
            return false;
        }
    }
    ok = send_ready(s, ready, fds, count, errp);
    while (count) {
        close(fds[--count]);
    }
    return ok;
}
