/*
 * Why there is no introspection, in words.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_REFUSAL_H
#define ACCEL_KVM_INTROSPECTION_REFUSAL_H

/**
 * introspection_refusal:
 * @err: the errno, positive, with which KVM refused a session
 * @errp: error object handle, set to the cause and what to do about it
 *
 * KVM has one errno for several causes: which it is, is read from the VM's
 * settings and the parameters of the host's modules.
 */
void introspection_refusal(int err, Error **errp);

/**
 * introspection_not_offered:
 *
 * Returns: the errno of a KVM that does not have the capability: EPERM if it
 * is switched off there, ENOTTY if it is not known
 */
int introspection_not_offered(void);

#endif
