/*
 * What is told of sessions: warnings, events and what can be asked for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/qapi-events-vmi.h"
#include "qemu/error-report.h"
#include "report.h"
#include "trace.h"

static bool is_hooked(Introspection *s)
{
    return s->state == INTROSPECTION_STATE_HOOKED ||
           s->state == INTROSPECTION_STATE_UNHOOKING;
}

void introspection_warn(Introspection *s, const char *text)
{
    trace_introspection_warning(introspection_id(s), text);
    if (!is_hooked(s)) {
        g_free(s->problem);
        s->problem = g_strdup(text);
    }
    if (g_hash_table_add(s->warned, g_strdup(text))) {
        warn_report("introspection '%s', chardev '%s': %s",
                    introspection_id(s), s->chardev, text);
    }
}

void introspection_report_connected(Introspection *s)
{
    s->connections++;
    qapi_event_send_introspection_connected(introspection_id(s));
}

void introspection_report_hooked(Introspection *s)
{
    s->sessions++;
    g_clear_pointer(&s->problem, g_free);
    g_hash_table_remove_all(s->warned);
    qapi_event_send_introspection_hooked(introspection_id(s),
                                         s->authenticated);
}

void introspection_report_end(Introspection *s, IntrospectionReason reason)
{
    trace_introspection_end(introspection_id(s),
                            IntrospectionReason_str(reason));
    s->has_last_reason = true;
    s->last_reason = reason;
    qapi_event_send_introspection_disconnected(introspection_id(s), reason);
}

void introspection_report_init(Introspection *s)
{
    s->warned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void introspection_report_destroy(Introspection *s)
{
    g_hash_table_unref(s->warned);
    g_free(s->problem);
}
