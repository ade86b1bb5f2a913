/*
 * The introspection object in the monitors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/clone-visitor.h"
#include "qapi/error.h"
#include "qapi/qapi-builtin-visit.h"
#include "qapi/qapi-commands-vmi.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "intercept.h"
#include "session.h"

static Introspection *the_object(Error **errp)
{
    Introspection *s = introspection_started();

    if (!s) {
        error_setg(errp, "the VM has no introspection object");
    }
    return s;
}

static IntrospectionActionList *pending_of(Introspection *s)
{
    IntrospectionActionList *list = NULL;
    int i;

    for (i = INTROSPECTION_ACTION__MAX - 1; i >= 0; i--) {
        if (s->pending & BIT(i)) {
            QAPI_LIST_PREPEND(list, i);
        }
    }
    return list;
}

/* Seconds that are left, rounded up. */
static uint32_t unhook_seconds(Introspection *s)
{
    int64_t left = timer_expire_time_ns(s->unhook_timer) / SCALE_MS -
                   qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    return left > 0 ? DIV_ROUND_UP(left, 1000) : 0;
}

IntrospectionInfo *qmp_query_introspection(Error **errp)
{
    Introspection *s = the_object(errp);
    IntrospectionInfo *info;

    if (!s) {
        return NULL;
    }
    info = g_new0(IntrospectionInfo, 1);
    info->id = g_strdup(introspection_id(s));
    info->chardev = g_strdup(s->chardev);
    info->state = s->state == INTROSPECTION_STATE_WAITING && s->held ?
                  INTROSPECTION_STATE_HELD : s->state;
    info->state_seconds = (qemu_clock_get_ms(QEMU_CLOCK_REALTIME) -
                           s->state_since) / 1000;
    info->start_time = s->start_time;
    info->authenticated = s->authenticated;
    info->has_command = s->command;
    info->command = QAPI_CLONE(strList, s->command);
    info->has_event = s->event;
    info->event = QAPI_CLONE(strList, s->event);
    info->pending = pending_of(s);
    info->has_unhook_seconds = s->state == INTROSPECTION_STATE_UNHOOKING;
    info->unhook_seconds = info->has_unhook_seconds ? unhook_seconds(s) : 0;
    info->connections = s->connections;
    info->sessions = s->sessions;
    info->has_last_reason = s->has_last_reason;
    info->last_reason = s->last_reason;
    info->problem = g_strdup(s->problem);
    return info;
}

void qmp_introspection_disconnect(bool has_force, bool force, Error **errp)
{
    Introspection *s = the_object(errp);

    if (s) {
        introspection_disconnect(s, has_force && force);
    }
}

static void print_list(Monitor *mon, const char *what, const strList *list)
{
    monitor_printf(mon, "%s:%s", what, list ? "" : " all");
    for (; list; list = list->next) {
        monitor_printf(mon, " %s", list->value);
    }
    monitor_printf(mon, "\n");
}

static void print_pending(Monitor *mon, const IntrospectionInfo *info)
{
    const IntrospectionActionList *item;

    if (!info->has_unhook_seconds) {
        return;
    }
    monitor_printf(mon, "asked to leave within %" PRIu32 " s, for:",
                   info->unhook_seconds);
    for (item = info->pending; item; item = item->next) {
        monitor_printf(mon, " %s", IntrospectionAction_str(item->value));
    }
    monitor_printf(mon, "\n");
}

void hmp_info_introspection(Monitor *mon, const QDict *qdict)
{
    g_autoptr(IntrospectionInfo) info = NULL;
    Error *err = NULL;

    info = qmp_query_introspection(&err);
    if (hmp_handle_error(mon, err)) {
        return;
    }
    monitor_printf(mon, "object '%s', chardev '%s': %s for %" PRIu64 " s%s\n",
                   info->id, info->chardev,
                   IntrospectionState_str(info->state), info->state_seconds,
                   info->authenticated ? ", authenticated" : "");
    print_pending(mon, info);
    monitor_printf(mon, "start time: %" PRId64 "\n", info->start_time);
    print_list(mon, "commands", info->command);
    print_list(mon, "events", info->event);
    monitor_printf(mon, "connections: %" PRIu64 ", sessions: %" PRIu64 "\n",
                   info->connections, info->sessions);
    if (info->has_last_reason) {
        monitor_printf(mon, "last ended: %s\n",
                       IntrospectionReason_str(info->last_reason));
    }
    if (info->problem) {
        monitor_printf(mon, "problem: %s\n", info->problem);
    }
}
