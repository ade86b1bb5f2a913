/*
 * Outgoing migrations wait for the tool to leave; the start time goes along.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_MIGRATE_H
#define ACCEL_KVM_INTROSPECTION_MIGRATE_H

#include "session.h"

void introspection_migrate_start(Introspection *s);
void introspection_migrate_stop(Introspection *s);

/**
 * introspection_migrate_go_on:
 * @s: the object, whose tool has left
 */
void introspection_migrate_go_on(Introspection *s);

/**
 * introspection_forbid_cpr:
 * @s: the object
 * @errp: error object handle
 *
 * CPR stops the VM before anything could wait for the tool, and keeps its
 * memory: not while it is hooked.
 *
 * Returns: 0, or a negative errno
 */
int introspection_forbid_cpr(Introspection *s, Error **errp);
void introspection_allow_cpr(Introspection *s);

#endif
