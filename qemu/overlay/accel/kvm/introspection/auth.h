/*
 * Whether QEMU and the tool have the same key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_AUTH_H
#define ACCEL_KVM_INTROSPECTION_AUTH_H

#include "session.h"

/**
 * introspection_auth_load:
 * @s: the object
 * @errp: error object handle
 *
 * Take the key from its secret object, if there is one.
 * introspection_auth_unload() forgets it.
 *
 * Returns: whether there is a key, or none is wanted
 */
bool introspection_auth_load(Introspection *s, Error **errp);

/**
 * introspection_auth_unload:
 * @s: the object
 */
void introspection_auth_unload(Introspection *s);

/**
 * introspection_auth_features:
 * @s: the object
 *
 * Returns: KVMI_FEATURE_..., what of this can be offered to the tool
 */
uint32_t introspection_auth_features(Introspection *s);

/**
 * introspection_auth_accepts:
 * @s: the object, with the tool's whole reply
 * @errp: error object handle, set to the cause and its cure
 *
 * Returns: whether the tool may have the VM
 */
bool introspection_auth_accepts(Introspection *s, Error **errp);

/**
 * introspection_auth_prove:
 * @s: the object
 * @message: what QEMU is about to say, to which its proof is added
 * @errp: error object handle
 *
 * Complete a message, with a proof if the tool has asked for one.
 *
 * Returns: whether that could be done
 */
bool introspection_auth_prove(Introspection *s, GByteArray *message,
                              Error **errp);

#endif
