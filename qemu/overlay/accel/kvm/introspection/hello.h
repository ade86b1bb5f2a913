/*
 * The hello: which VM this is.
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

#endif
