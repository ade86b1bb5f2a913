/*
 * What waits for the tool to leave.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_INTERCEPT_H
#define ACCEL_KVM_INTROSPECTION_INTERCEPT_H

#include "session.h"

/**
 * introspection_ask_to_leave:
 * @s: the object
 * @action: what is not to happen while the tool is there
 *
 * If KVM can tell the tool, @action is pending until the connection ends, for
 * @s->unhook_timeout at most.  If not, the connection is over when this
 * returns.
 *
 * Returns: whether @action has to wait
 */
bool introspection_ask_to_leave(Introspection *s, IntrospectionAction action);

/**
 * introspection_forget:
 * @s: the object
 * @action: what does not wait any more
 *
 * The tool is still expected to leave.
 */
void introspection_forget(Introspection *s, IntrospectionAction action);

/**
 * introspection_left:
 * @s: the object, whose connection has just ended
 *
 * Do what is pending.
 */
void introspection_left(Introspection *s);

/**
 * introspection_disconnect:
 * @s: the object
 * @force: cut the connection at once
 *
 * Have the tool leave; in a QMP command, hold its reply until it has.
 */
void introspection_disconnect(Introspection *s, bool force);

void introspection_intercept_init(Introspection *s);
void introspection_intercept_destroy(Introspection *s);

#endif
