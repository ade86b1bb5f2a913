/*
 * The session with an introspection tool: connects to it through a socket
 * character device, tells it which VM this is, authenticates it and hands the
 * socket to KVM.  From then on the tool talks to the kernel, and QEMU keeps
 * the character device only to see the connection end.
 *
 *   WAITING     not connected; the character device retries, unless held
 *   HANDSHAKE   connected, the hello is sent, the reply is awaited
 *   HOOKED      KVM has the socket
 *   UNHOOKING   so it has, and the tool has been asked to leave
 *
 * All transitions are made by introspection_bh(), by a timer, by
 * introspection_cut() or by what intercept.c is called for, in the main loop.
 * The character device's callbacks only take notes, because CHR_EVENT_CLOSED
 * comes with the device's lock held and leaves no way to disconnect or to
 * write.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/uuid.h"
#include "chardev/char-socket.h"
#include "system/introspection.h"
#include "system/runstate.h"
#include "system/system.h"
#include "auth.h"
#include "hello.h"
#include "hold.h"
#include "hook.h"
#include "intercept.h"
#include "migrate.h"
#include "report.h"
#include "session.h"
#include "share.h"
#include "trace.h"
#include "watchdog.h"

/*
 * A session that ends may still be taken down when the next one begins: only
 * this many refusals in a row are worth a warning.
 */
#define EEXIST_TOLERATED 5

/* How long KVM may take to read what a tool has said before it left. */
#define LAST_WORDS_MS 100

Introspection *the_introspection;

Introspection *introspection_started(void)
{
    return the_introspection && the_introspection->started ?
           the_introspection : NULL;
}

const char *introspection_id(Introspection *s)
{
    return object_get_canonical_path_component(OBJECT(s)) ?: "-";
}

void introspection_set_state(Introspection *s, IntrospectionState state)
{
    trace_introspection_state(introspection_id(s),
                              IntrospectionState_str(s->state),
                              IntrospectionState_str(state));
    s->state = state;
    s->state_since = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
}

/* Tools tell sessions of a VM apart by it: never the same twice. */
static void introspection_renew_start_time(Introspection *s)
{
    s->start_time = MAX(g_get_real_time() / G_USEC_PER_SEC, s->start_time + 1);
}

/*
 * The tool has closed its end.  What it said last is perhaps still to be read
 * by KVM, and would be lost by unhooking at once: among it are the answers to
 * events of breakpoints that it has just taken back, without which the guest
 * would get their exceptions.
 */
static void introspection_hear_last_words(Introspection *s)
{
    char byte;
    int i;

    for (i = 0; i < LAST_WORDS_MS &&
                recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0; i++) {
        g_usleep(1000);
    }
}

/* The connection is gone: end what was made of it. */
static void introspection_end(Introspection *s, IntrospectionReason reason)
{
    IntrospectionState was = s->state;

    if (was == INTROSPECTION_STATE_WAITING) {
        return;
    }

    timer_del(s->handshake_timer);
    if (was != INTROSPECTION_STATE_HANDSHAKE) {
        introspection_watchdog_stop(s);
        introspection_unhook();
        introspection_allow_cpr(s);
        close(s->fd);
    }
    s->authenticated = false;
    introspection_share_stop(s);
    introspection_set_state(s, INTROSPECTION_STATE_WAITING);
    introspection_report_end(s, reason);
    introspection_left(s);
}

void introspection_cut(Introspection *s, IntrospectionReason reason)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);

    if (s->state == INTROSPECTION_STATE_WAITING) {
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
    introspection_cut(s, INTROSPECTION_REASON_HANDSHAKE_TIMEOUT);
}

static void introspection_connected(Introspection *s)
{
    if (!introspection_may_connect(s)) {
        trace_introspection_refused(introspection_id(s),
                                    RunState_str(runstate_get()));
        introspection_update_hold(s);
        qemu_chr_fe_disconnect(&s->chr);
        return;
    }

    introspection_set_state(s, INTROSPECTION_STATE_HANDSHAKE);
    introspection_report_connected(s);
    handshake_reader_init(&s->reader);
    if (s->handshake_timeout) {
        timer_mod(s->handshake_timer,
                  s->state_since + s->handshake_timeout * INT64_C(1000));
    }
    if (!introspection_send_hello(s)) {
        introspection_warn(s, "the handshake could not be sent");
        introspection_cut(s, INTROSPECTION_REASON_PEER_CLOSED);
    }
    qemu_chr_fe_accept_input(&s->chr);
}

/* Whether KVM has the socket now. */
static bool introspection_take(Introspection *s)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);
    int fd = SOCKET_CHARDEV(chr)->sioc->fd;
    Error *err = NULL;
    int ret;

    ret = introspection_forbid_cpr(s, &err);
    if (ret >= 0) {
        ret = introspection_hook(fd, &qemu_uuid, s->command, s->event, &err);
    }
    s->eexist_in_a_row = ret == -EEXIST ? s->eexist_in_a_row + 1 : 0;
    if (ret < 0) {
        if (ret != -EEXIST || s->eexist_in_a_row >= EEXIST_TOLERATED) {
            introspection_warn(s, error_get_pretty(err));
        }
        error_free(err);
        introspection_allow_cpr(s);
        return false;
    }
    s->fd = qemu_dup(fd);
    introspection_set_state(s, INTROSPECTION_STATE_HOOKED);
    introspection_watchdog_start(s, fd);
    return true;
}

/* Warn, and free what is warned of. */
static void introspection_complain(Introspection *s, Error *err)
{
    introspection_warn(s, error_get_pretty(err));
    error_free(err);
}

/* The reply is complete, or can never be. */
static void introspection_replied(Introspection *s)
{
    Error *err = NULL;

    timer_del(s->handshake_timer);
    trace_introspection_reply(introspection_id(s), s->reader.reply.struct_size);

    if (s->reader.status == HANDSHAKE_MALFORMED) {
        introspection_warn(s, "the tool sent a malformed handshake");
        introspection_cut(s, INTROSPECTION_REASON_HANDSHAKE_INVALID);
    } else if (!introspection_auth_accepts(s, &err)) {
        introspection_complain(s, err);
        introspection_cut(s, INTROSPECTION_REASON_AUTH_FAILED);
    } else if (!introspection_may_connect(s)) {
        introspection_cut(s, INTROSPECTION_REASON_HELD);
    } else if (!introspection_take(s)) {
        introspection_cut(s, INTROSPECTION_REASON_HOOK_FAILED);
    } else if (!introspection_send_ready(s, &err)) {
        introspection_complain(s, err);
        introspection_cut(s, INTROSPECTION_REASON_PEER_CLOSED);
    } else {
        s->authenticated = s->secret;
        introspection_report_hooked(s);
    }
}

static IntrospectionReason introspection_closed_reason(Introspection *s)
{
    if (introspection_watchdog_barked(s)) {
        introspection_warn(s, "QEMU stood still for too long, perhaps waiting"
                           " for the tool: the session is over");
        return INTROSPECTION_REASON_STALLED;
    }
    return s->state == INTROSPECTION_STATE_UNHOOKING ?
           INTROSPECTION_REASON_UNHOOKED : INTROSPECTION_REASON_PEER_CLOSED;
}

static void introspection_bh(void *opaque)
{
    Introspection *s = opaque;

    if (s->closed) {
        s->closed = false;
        if (s->state == INTROSPECTION_STATE_HANDSHAKE) {
            introspection_warn(s, "the connection ended during the handshake");
        } else if (s->state != INTROSPECTION_STATE_WAITING) {
            introspection_hear_last_words(s);
        }
        introspection_end(s, introspection_closed_reason(s));
    }
    if (s->opened) {
        s->opened = false;
        introspection_connected(s);
    }
    if (s->state == INTROSPECTION_STATE_HANDSHAKE &&
        s->reader.status != HANDSHAKE_MORE) {
        introspection_replied(s);
    }
    introspection_update_hold(s);
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

    if (s->state != INTROSPECTION_STATE_HANDSHAKE || s->closed) {
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

    /* With -action shutdown=pause it may run again. */
    s->shutting_down = true;
    introspection_cut(s, INTROSPECTION_REASON_SHUTDOWN);
    s->shutting_down = false;
}

void introspection_before_reset(void)
{
    Introspection *s = introspection_started();

    if (s) {
        introspection_cut(s, INTROSPECTION_REASON_RESET);
        introspection_renew_start_time(s);
    }
}

void introspection_session_init(Introspection *s)
{
    s->handshake_timer = timer_new_ms(QEMU_CLOCK_REALTIME,
                                      introspection_handshake_timeout, s);
    s->bh = qemu_bh_new(introspection_bh, s);
    s->shutdown.notify = introspection_shutdown;
    introspection_report_init(s);
    introspection_intercept_init(s);
}

void introspection_session_destroy(Introspection *s)
{
    introspection_cut(s, INTROSPECTION_REASON_USER);
    introspection_share_destroy(s);
    if (s->started) {
        notifier_remove(&s->shutdown);
        introspection_migrate_stop(s);
        introspection_hold_stop_watching(s);
    }
    qemu_chr_fe_deinit(&s->chr, false);
    timer_free(s->handshake_timer);
    qemu_bh_delete(s->bh);
    introspection_intercept_destroy(s);
    introspection_report_destroy(s);
}

void introspection_session_start(Introspection *s)
{
    introspection_renew_start_time(s);
    qemu_register_shutdown_notifier(&s->shutdown);
    introspection_migrate_start(s);
    s->started = true;
    introspection_hold_start_watching(s);
    qemu_chr_fe_set_handlers(&s->chr, introspection_chr_can_read,
                             introspection_chr_read, introspection_chr_event,
                             NULL, s, NULL, true);
}
