/*
 * What QEMU says in the handshake: which VM this is, and that it is ready.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_HELLO_H
#define ACCEL_KVM_INTROSPECTION_HELLO_H

#include "session.h"

/**
 * introspection_send_hello:
 * @s: the object, connected
 *
 * Returns: whether the hello is on its way
 */
bool introspection_send_hello(Introspection *s);

/**
 * introspection_send_ready:
 * @s: the object, hooked and with all permissions given
 * @errp: error object handle
 *
 * Tell the tool that it may begin, if it has asked to be told.  KVM has the
 * socket, but says nothing that it is not asked for.
 *
 * Returns: whether the tool knows all that it has to
 */
bool introspection_send_ready(Introspection *s, Error **errp);

#endif
