/*
 * The ioctls that give a socket to KVM and take it away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_HOOK_H
#define ACCEL_KVM_INTROSPECTION_HOOK_H

#include "qapi/qapi-builtin-types.h"
#include "qemu/uuid.h"

/**
 * introspection_supported:
 * @errp: error object handle
 *
 * Returns: whether this VM runs on a KVM that offers introspection
 */
bool introspection_supported(Error **errp);

/**
 * introspection_hook:
 * @fd: a connected stream socket; the kernel takes a reference of its own
 * @uuid: the VM, for the kernel's log
 * @commands: what the tool may use, everything if the list is empty
 * @events: what the tool may be told, everything if the list is empty
 * @errp: error object handle, set to the cause and its cure
 *
 * Start a session: hand the socket over, then set the permissions, which
 * exist only within a session.  On failure there is no session.
 *
 * Returns: 0 on success, a negative errno on failure
 */
int introspection_hook(int fd, const QemuUUID *uuid, const strList *commands,
                       const strList *events, Error **errp);

/**
 * introspection_preunhook:
 *
 * Have KVM ask the tool to take its changes back and leave.
 *
 * Returns: 0 on success, a negative errno if the tool cannot be asked or does
 * not want to be
 */
int introspection_preunhook(void);

/**
 * introspection_unhook:
 *
 * End the session.  Harmless when there is none.
 */
void introspection_unhook(void);

#endif
