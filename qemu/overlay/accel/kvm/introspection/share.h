/*
 * The guest's memory for a tool that wants to read it without KVM.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_SHARE_H
#define ACCEL_KVM_INTROSPECTION_SHARE_H

#include "session.h"

/**
 * introspection_share_start:
 * @s: the object, with its character device
 * @errp: error object handle, set to the cause and its cure
 *
 * introspection_share_destroy() is the opposite.
 *
 * Returns: whether the memory can be shared, or need not be
 */
bool introspection_share_start(Introspection *s, Error **errp);

/**
 * introspection_share_destroy:
 * @s: the object
 */
void introspection_share_destroy(Introspection *s);

/**
 * introspection_share_features:
 * @s: the object
 *
 * Returns: KVMI_FEATURE_MEMORY if that can be offered to the tool, or 0
 */
uint32_t introspection_share_features(Introspection *s);

/**
 * introspection_share_append:
 * @s: the object
 * @ready: the message to which the ranges are added
 * @fds: receives at most KVMI_HANDSHAKE_FDS_MAX descriptors, to be closed
 * @errp: error object handle
 *
 * From now on a change of these ranges ends the session, until
 * introspection_share_stop().
 *
 * Returns: how many descriptors, or -1
 */
int introspection_share_append(Introspection *s, GByteArray *ready, int *fds,
                               Error **errp);

/**
 * introspection_share_stop:
 * @s: the object, whose session is over
 */
void introspection_share_stop(Introspection *s);

#endif
