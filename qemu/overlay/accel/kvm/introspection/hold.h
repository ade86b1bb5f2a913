/*
 * When there may be a connection, and when QEMU does not even try.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_HOLD_H
#define ACCEL_KVM_INTROSPECTION_HOLD_H

#include "session.h"

/**
 * introspection_may_connect:
 * @s: the object
 *
 * Returns: whether a session may begin now.  One that has begun may go on
 * for longer.
 */
bool introspection_may_connect(Introspection *s);

/**
 * introspection_update_hold:
 * @s: the object
 *
 * Have the character device try to connect, or not, as the VM is now.  When it
 * may again, it tries at once.
 */
void introspection_update_hold(Introspection *s);

/**
 * introspection_hold_start_watching:
 * @s: the object, with its character device
 *
 * Follow the state of the VM.
 */
void introspection_hold_start_watching(Introspection *s);

/**
 * introspection_hold_stop_watching:
 * @s: the object
 *
 * Leave the character device as it is for others: retrying.
 */
void introspection_hold_stop_watching(Introspection *s);

#endif
