/*
 * What waits for the tool to leave.
 *
 * A guest must not be stopped, saved or moved with breakpoints of a tool in
 * its memory.  The tool is told by KVM, the guest runs on while it cleans up,
 * and when its connection ends, or after unhook_timeout, what is pending is
 * done.  Several things may be pending: they wait for the same end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-events-vmi.h"
#include "qemu/coroutine.h"
#include "monitor/monitor.h"
#include "monitor/qmp-hold.h"
#include "system/introspection.h"
#include "hold.h"
#include "hook.h"
#include "intercept.h"
#include "migrate.h"
#include "report.h"
#include "trace.h"

static bool is_pending(Introspection *s, IntrospectionAction action)
{
    return s->pending & BIT(action);
}

static void wait_for_tool(Introspection *s, IntrospectionAction action)
{
    s->pending |= BIT(action);
    trace_introspection_pending(introspection_id(s),
                                IntrospectionAction_str(action));
    qapi_event_send_introspection_unhook_pending(introspection_id(s), action,
                                                 s->unhook_timeout);
}

bool introspection_ask_to_leave(Introspection *s, IntrospectionAction action)
{
    if (s->state == INTROSPECTION_STATE_UNHOOKING) {
        wait_for_tool(s, action);
        return true;
    }
    if (s->state == INTROSPECTION_STATE_HANDSHAKE) {
        introspection_cut(s, INTROSPECTION_REASON_HELD);
        return false;
    }
    if (s->state != INTROSPECTION_STATE_HOOKED) {
        return false;
    }
    if (!s->unhook_timeout || introspection_preunhook() < 0) {
        introspection_cut(s, INTROSPECTION_REASON_UNHOOK_REFUSED);
        return false;
    }

    introspection_set_state(s, INTROSPECTION_STATE_UNHOOKING);
    timer_mod(s->unhook_timer,
              s->state_since + s->unhook_timeout * INT64_C(1000));
    wait_for_tool(s, action);
    return true;
}

static void unhook_timeout(void *opaque)
{
    Introspection *s = opaque;

    introspection_warn(s, "the tool was asked to leave and did not in time");
    introspection_cut(s, INTROSPECTION_REASON_UNHOOK_TIMEOUT);
}

/* Hold the reply of the current command, if it is one of QMP. */
static void hold_reply(Introspection *s, IntrospectionAction action)
{
    QMPHold *hold = qmp_hold_reply();

    if (hold) {
        s->replies[action] = g_slist_append(s->replies[action], hold);
    } else if (monitor_cur()) {
        monitor_printf(monitor_cur(), "Waiting for the introspection tool to"
                       " leave, see \"info introspection\"\n");
    }
}

static void release_replies(Introspection *s, IntrospectionAction action,
                            const char *error)
{
    GSList *replies = g_steal_pointer(&s->replies[action]);
    GSList *item;

    for (item = replies; item; item = item->next) {
        Error *err = NULL;

        if (error) {
            error_setg(&err, "%s", error);
        }
        qmp_release_reply(item->data, err);
    }
    g_slist_free(replies);
}

void introspection_forget(Introspection *s, IntrospectionAction action)
{
    s->pending &= ~BIT(action);
    introspection_update_hold(s);
}

static void wake_coroutines(Introspection *s)
{
    GSList *coroutines = g_steal_pointer(&s->coroutines);
    GSList *item;

    for (item = coroutines; item; item = item->next) {
        aio_co_wake(item->data);
    }
    g_slist_free(coroutines);
}

void introspection_left(Introspection *s)
{
    uint32_t pending = s->pending;

    timer_del(s->unhook_timer);
    s->pending = 0;
    introspection_migrate_go_on(s);
    if (pending & BIT(INTROSPECTION_ACTION_STOP)) {
        if (!s->shutting_down) {
            vm_stop(RUN_STATE_PAUSED);
        }
        release_replies(s, INTROSPECTION_ACTION_STOP, NULL);
    }
    if (pending & BIT(INTROSPECTION_ACTION_POWERDOWN)) {
        s->powerdown_released = true;
        qemu_system_powerdown_request();
    }
    wake_coroutines(s);
    release_replies(s, INTROSPECTION_ACTION_DISCONNECT, NULL);
    introspection_update_hold(s);
}

/*
 * For callers that can neither return nor yield: run the main loop meanwhile.
 * What is called by it now, commands of QMP among that, waits.
 */
static void run_until_left(Introspection *s)
{
    while (s->state == INTROSPECTION_STATE_UNHOOKING) {
        if (qemu_shutdown_requested_get() || qemu_reset_requested_get()) {
            introspection_cut(s, INTROSPECTION_REASON_SHUTDOWN);
            break;
        }
        main_loop_wait(false);
    }
}

bool introspection_hold_stop(void)
{
    Introspection *s = introspection_started();

    if (!s || !runstate_is_live(runstate_get()) ||
        !introspection_ask_to_leave(s, INTROSPECTION_ACTION_STOP)) {
        return false;
    }
    if (s->async_unhook) {
        hold_reply(s, INTROSPECTION_ACTION_STOP);
    } else {
        run_until_left(s);
    }
    return true;
}

void introspection_cancel_stop(void)
{
    Introspection *s = introspection_started();

    if (s && is_pending(s, INTROSPECTION_ACTION_STOP)) {
        introspection_forget(s, INTROSPECTION_ACTION_STOP);
        release_replies(s, INTROSPECTION_ACTION_STOP,
                        "taken back by 'cont' before the introspection tool"
                        " had left");
    }
}

bool introspection_hold_powerdown(void)
{
    Introspection *s = introspection_started();

    if (!s || !s->unhook_on_shutdown || s->powerdown_released) {
        if (s) {
            s->powerdown_released = false;
        }
        return false;
    }
    /* A tool that is being let in is as good as one that comes back. */
    if (s->state == INTROSPECTION_STATE_HANDSHAKE ||
        !introspection_ask_to_leave(s, INTROSPECTION_ACTION_POWERDOWN)) {
        return false;
    }
    if (!s->async_unhook) {
        run_until_left(s);
    }
    return true;
}

void introspection_before_snapshot(void)
{
    Introspection *s = introspection_started();

    if (!s) {
        return;
    }
    s->snapshots++;
    introspection_update_hold(s);
    if (!introspection_ask_to_leave(s, INTROSPECTION_ACTION_SNAPSHOT)) {
        return;
    }
    if (qemu_in_coroutine()) {
        s->coroutines = g_slist_append(s->coroutines, qemu_coroutine_self());
        qemu_coroutine_yield();
    } else {
        run_until_left(s);
    }
}

void introspection_after_snapshot(void)
{
    Introspection *s = introspection_started();

    /* The object may have been made in between. */
    if (s && s->snapshots) {
        s->snapshots--;
        introspection_update_hold(s);
    }
}

void introspection_before_snapshot_load(void)
{
    Introspection *s = introspection_started();

    if (s) {
        introspection_cut(s, INTROSPECTION_REASON_SNAPSHOT_LOAD);
    }
}

void introspection_disconnect(Introspection *s, bool force)
{
    if (force || s->state == INTROSPECTION_STATE_HANDSHAKE) {
        introspection_cut(s, INTROSPECTION_REASON_USER);
    } else if (introspection_ask_to_leave(s, INTROSPECTION_ACTION_DISCONNECT)) {
        hold_reply(s, INTROSPECTION_ACTION_DISCONNECT);
    }
}

void introspection_intercept_init(Introspection *s)
{
    s->unhook_timer = timer_new_ms(QEMU_CLOCK_REALTIME, unhook_timeout, s);
}

void introspection_intercept_destroy(Introspection *s)
{
    timer_free(s->unhook_timer);
}
