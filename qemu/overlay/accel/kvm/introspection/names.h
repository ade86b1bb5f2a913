/*
 * Names of the commands and events of VM introspection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_NAMES_H
#define ACCEL_KVM_INTROSPECTION_NAMES_H

/**
 * introspection_parse_command:
 * @text: a number, or a name such as "vm-read-physical"
 * @id: where to store the id
 * @errp: error object handle
 *
 * A number need not be known here: whether it is a command is for the kernel
 * to say.
 *
 * Returns: true on success
 */
bool introspection_parse_command(const char *text, int32_t *id, Error **errp);

/**
 * introspection_parse_event:
 * @text: a number, or a name such as "unhook"
 * @id: where to store the id
 * @errp: error object handle
 *
 * Like introspection_parse_command(), for events.
 *
 * Returns: true on success
 */
bool introspection_parse_event(const char *text, int32_t *id, Error **errp);

#endif
