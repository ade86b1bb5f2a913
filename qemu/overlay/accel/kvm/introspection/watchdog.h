/*
 * The end of a session that keeps QEMU's main loop from running.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_WATCHDOG_H
#define ACCEL_KVM_INTROSPECTION_WATCHDOG_H

#include "session.h"

/**
 * introspection_watchdog_start:
 * @s: the object, with a session
 * @fd: its socket
 *
 * Shut @fd down if the main loop stands still for @s->stall_timeout seconds.
 * Does nothing if that is 0.
 */
void introspection_watchdog_start(Introspection *s, int fd);

/**
 * introspection_watchdog_stop:
 * @s: the object
 */
void introspection_watchdog_stop(Introspection *s);

/**
 * introspection_watchdog_barked:
 * @s: the object
 *
 * Returns: whether the session has been ended by its watchdog
 */
bool introspection_watchdog_barked(Introspection *s);

#endif
