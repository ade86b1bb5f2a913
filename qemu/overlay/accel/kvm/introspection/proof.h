/*
 * The proof that one has the key, without telling it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_PROOF_H
#define ACCEL_KVM_INTROSPECTION_PROOF_H

#include <kvmi/handshake.h>

/**
 * proof_make:
 * @key: the bytes of the key
 * @key_size: how many
 * @label: KVMI_HANDSHAKE_LABEL_..., who speaks
 * @said: all that both sides said before this message
 * @message: the message
 * @size: bytes of the message before the content of its proof
 * @proof: receives KVMI_HANDSHAKE_PROOF_SIZE bytes
 * @errp: error object handle
 *
 * Returns: whether the proof could be made
 */
bool proof_make(const uint8_t *key, size_t key_size, const char *label,
                const GByteArray *said, const uint8_t *message, size_t size,
                uint8_t *proof, Error **errp);

/**
 * proof_equal:
 * @a: KVMI_HANDSHAKE_PROOF_SIZE bytes
 * @b: as many
 *
 * Compare in a time that does not depend on the content.
 *
 * Returns: whether they are equal
 */
bool proof_equal(const uint8_t *a, const uint8_t *b);

#endif
