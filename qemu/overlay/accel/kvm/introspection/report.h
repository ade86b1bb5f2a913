/*
 * What is told of sessions: warnings, events and what can be asked for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_REPORT_H
#define ACCEL_KVM_INTROSPECTION_REPORT_H

#include "session.h"

void introspection_report_init(Introspection *s);
void introspection_report_destroy(Introspection *s);

/**
 * introspection_warn:
 * @s: the object
 * @text: what went wrong
 *
 * The character device tries again for ever, and what went wrong is likely to
 * go wrong again: it is said once until a session begins.
 */
void introspection_warn(Introspection *s, const char *text);

/* A connection has been made, has become a session, has ended. */
void introspection_report_connected(Introspection *s);
void introspection_report_hooked(Introspection *s);
void introspection_report_end(Introspection *s, IntrospectionReason reason);

#endif
