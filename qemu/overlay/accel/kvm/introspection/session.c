/*
 * The session with an introspection tool: connects to it through a socket
 * character device, tells it which VM this is, authenticates it and hands the
 * socket to KVM.  From then on the tool talks to the kernel, and QEMU keeps
 * the character device only to see the connection end.
 *
 *   WAITING     not connected; the character device retries
 *   HANDSHAKE   connected, the hello is sent, the reply is awaited
 *   HOOKED      KVM has the socket
 *
 * All transitions are made by introspection_bh(), by the handshake timer or
 * by introspection_cut(), in the main loop.  The character device's callbacks
 * only take notes, because CHR_EVENT_CLOSED comes with the device's lock held
 * and leaves no way to disconnect or to write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-types-run-state.h"
#include "qemu/error-report.h"
#include "qemu/uuid.h"
#include "chardev/char-socket.h"
#include "hw/core/cpu.h"
#include "hw/i386/e820_memory_layout.h"
#include "system/introspection.h"
#include "system/runstate.h"
#include "system/system.h"
#include <linux/kvmi.h>
#include "hook.h"
#include "session.h"
#include "trace.h"

/*
 * A session that ends may still be taken down when the next one begins: only
 * this many refusals in a row are worth a warning.
 */
#define EEXIST_TOLERATED 5

static const char *const state_names[] = {
    [INTROSPECTION_WAITING] = "waiting",
    [INTROSPECTION_HANDSHAKE] = "handshake",
    [INTROSPECTION_HOOKED] = "hooked",
};

Introspection *the_introspection;

const char *introspection_id(Introspection *s)
{
    return object_get_canonical_path_component(OBJECT(s)) ?: "-";
}

static void introspection_set_state(Introspection *s, IntrospectionState state)
{
    trace_introspection_state(introspection_id(s), state_names[s->state],
                              state_names[state]);
    s->state = state;
}

/*
 * The character device tries again for ever, and what went wrong is likely to
 * go wrong again: say it once until a session begins.
 */
static void introspection_warn(Introspection *s, const char *text)
{
    trace_introspection_warning(introspection_id(s), text);
    if (s->state != INTROSPECTION_HOOKED) {
        g_free(s->problem);
        s->problem = g_strdup(text);
    }
    if (g_hash_table_add(s->warned, g_strdup(text))) {
        warn_report("introspection '%s', chardev '%s': %s",
                    introspection_id(s), s->chardev, text);
    }
}

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

/* Tools tell sessions of a VM apart by it: never the same twice. */
static void introspection_renew_start_time(Introspection *s)
{
    s->start_time = MAX(g_get_real_time() / G_USEC_PER_SEC, s->start_time + 1);
}

/* The connection is gone: end what was made of it. */
static void introspection_end(Introspection *s, const char *reason)
{
    if (s->state == INTROSPECTION_WAITING) {
        return;
    }

    trace_introspection_end(introspection_id(s), reason);
    timer_del(s->handshake_timer);
    if (s->state == INTROSPECTION_HOOKED) {
        introspection_unhook();
    }
    introspection_set_state(s, INTROSPECTION_WAITING);
}

/* End the connection, and with it the handshake or the session. */
static void introspection_cut(Introspection *s, const char *reason)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);

    if (s->state == INTROSPECTION_WAITING) {
        return;
    }

    /*
     * KVM has a reference of its own to the socket, so closing ours would
     * tell nobody.  Shutting it down tells the tool and lets go all vCPUs
     * that wait for the tool.
     */
    if (chr && SOCKET_CHARDEV(chr)->sioc) {
        shutdown(SOCKET_CHARDEV(chr)->sioc->fd, SHUT_RDWR);
    }
    qemu_chr_fe_disconnect(&s->chr);
    introspection_end(s, reason);
}

static void introspection_handshake_timeout(void *opaque)
{
    Introspection *s = opaque;

    introspection_warn(s, "the tool did not complete the handshake in time");
    introspection_cut(s, "handshake timeout");
}

/* While INMIGRATE there is no guest yet to look into. */
static bool introspection_may_connect(void)
{
    return !runstate_check(RUN_STATE_INMIGRATE) &&
           !runstate_check(RUN_STATE_SHUTDOWN);
}

static void introspection_connected(Introspection *s)
{
    struct kvmi_qemu2introspector hello;

    if (!introspection_may_connect()) {
        trace_introspection_refused(introspection_id(s),
                                    RunState_str(runstate_get()));
        qemu_chr_fe_disconnect(&s->chr);
        return;
    }

    handshake_fill_hello(&hello, qemu_uuid.data, s->start_time,
                         qemu_get_vm_name(), introspection_max_gpa());
    trace_introspection_hello(introspection_id(s), hello.start_time,
                              hello.max_gpa);

    introspection_set_state(s, INTROSPECTION_HANDSHAKE);
    handshake_reader_init(&s->reader);
    if (s->handshake_timeout) {
        timer_mod(s->handshake_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                  s->handshake_timeout * INT64_C(1000));
    }

    if (qemu_chr_fe_write_all(&s->chr, (const uint8_t *)&hello,
                              sizeof(hello)) != sizeof(hello)) {
        introspection_warn(s, "the handshake could not be sent");
        introspection_cut(s, "cannot write");
    }
    qemu_chr_fe_accept_input(&s->chr);
}

/* The reply is complete, or can never be. */
static void introspection_replied(Introspection *s)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);
    Error *err = NULL;
    int ret;

    timer_del(s->handshake_timer);
    trace_introspection_reply(introspection_id(s), s->reader.reply.struct_size);

    if (s->reader.status == HANDSHAKE_MALFORMED) {
        introspection_warn(s, "the tool sent a malformed handshake");
        introspection_cut(s, "malformed handshake");
        return;
    }
    if (s->key_digest && !handshake_reply_matches(&s->reader, s->key_digest)) {
        introspection_warn(s, "the tool does not have the key");
        introspection_cut(s, "wrong key");
        return;
    }

    ret = introspection_hook(SOCKET_CHARDEV(chr)->sioc->fd, &qemu_uuid,
                             s->command, s->event, &err);
    s->eexist_in_a_row = ret == -EEXIST ? s->eexist_in_a_row + 1 : 0;
    if (ret < 0) {
        if (ret != -EEXIST || s->eexist_in_a_row >= EEXIST_TOLERATED) {
            introspection_warn(s, error_get_pretty(err));
        }
        error_free(err);
        introspection_cut(s, "not hooked");
        return;
    }

    introspection_set_state(s, INTROSPECTION_HOOKED);
    g_clear_pointer(&s->problem, g_free);
    g_hash_table_remove_all(s->warned);
}

static void introspection_bh(void *opaque)
{
    Introspection *s = opaque;

    if (s->closed) {
        s->closed = false;
        if (s->state == INTROSPECTION_HANDSHAKE) {
            introspection_warn(s, "the connection ended during the handshake");
        }
        introspection_end(s, "connection ended");
    }
    if (s->opened) {
        s->opened = false;
        introspection_connected(s);
    }
    if (s->state == INTROSPECTION_HANDSHAKE &&
        s->reader.status != HANDSHAKE_MORE) {
        introspection_replied(s);
    }
}

static void introspection_chr_event(void *opaque, QEMUChrEvent event)
{
    Introspection *s = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        s->opened = true;
        break;
    case CHR_EVENT_CLOSED:
        /* One that came and went unseen needs no answer. */
        s->closed = true;
        s->opened = false;
        break;
    default:
        return;
    }
    qemu_bh_schedule(s->bh);
}

static int introspection_chr_can_read(void *opaque)
{
    Introspection *s = opaque;

    if (s->state != INTROSPECTION_HANDSHAKE || s->closed) {
        return 0;
    }
    return handshake_reader_wants(&s->reader);
}

static void introspection_chr_read(void *opaque, const uint8_t *buf, int size)
{
    Introspection *s = opaque;

    if (handshake_reader_feed(&s->reader, buf, size) != HANDSHAKE_MORE) {
        qemu_bh_schedule(s->bh);
    }
}

/* Comes before the vCPUs are stopped for good. */
static void introspection_shutdown(Notifier *notifier, void *data)
{
    Introspection *s = container_of(notifier, Introspection, shutdown);

    introspection_cut(s, "shutdown");
}

void introspection_before_reset(void)
{
    if (the_introspection && the_introspection->started) {
        introspection_cut(the_introspection, "reset");
        introspection_renew_start_time(the_introspection);
    }
}

bool introspection_crashed(CPUState *cpu, uint16_t run_flags)
{
    g_autofree char *text = NULL;
    GuestPanicInformation *info;

    if (!(run_flags & KVM_RUN_X86_INTROSPECTION_CRASH)) {
        return false;
    }

    trace_introspection_crash(cpu->cpu_index);
    info = g_new0(GuestPanicInformation, 1);
    info->type = GUEST_PANIC_INFORMATION_TYPE_INTROSPECTION;
    info->u.introspection.cpu_index = cpu->cpu_index;
    text = g_strdup_printf("the tool crashed the guest on vCPU %d",
                           cpu->cpu_index);

    bql_lock();
    /* KVM may have come to this just before the object was deleted. */
    if (the_introspection) {
        introspection_warn(the_introspection, text);
    }
    qemu_system_guest_panicked(info);
    bql_unlock();
    return true;
}

void introspection_session_init(Introspection *s)
{
    s->handshake_timer = timer_new_ms(QEMU_CLOCK_REALTIME,
                                      introspection_handshake_timeout, s);
    s->bh = qemu_bh_new(introspection_bh, s);
    s->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s->shutdown.notify = introspection_shutdown;
}

void introspection_session_destroy(Introspection *s)
{
    introspection_cut(s, "deleted");
    qemu_chr_fe_deinit(&s->chr, false);
    if (s->started) {
        notifier_remove(&s->shutdown);
    }
    timer_free(s->handshake_timer);
    qemu_bh_delete(s->bh);
    g_hash_table_unref(s->warned);
    g_free(s->problem);
}

void introspection_session_start(Introspection *s)
{
    introspection_renew_start_time(s);
    qemu_register_shutdown_notifier(&s->shutdown);
    s->started = true;
    qemu_chr_fe_set_handlers(&s->chr, introspection_chr_can_read,
                             introspection_chr_read, introspection_chr_event,
                             NULL, s, NULL, true);
}
