/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The proof that one has the key, without telling it. */
#ifndef KVMI_NATIVE_PROOF_H
#define KVMI_NATIVE_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <kvmi/handshake.h>

/* HMAC hashes a longer key, and fills up a shorter one with zeros. */
#define PROOF_KEY_SIZE 64

/* Makes a key of a secret. Errors: -ENOTSUP: this system refuses SHA-256. */
int proof_key(uint8_t key[PROOF_KEY_SIZE], const void *secret, size_t size);
/* The proof of who @label is for @count pieces of what was said. */
int proof_make(const uint8_t key[PROOF_KEY_SIZE], const char *label,
	       const struct iovec *said, size_t count,
	       uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE]);
/* In a time that does not depend on the content. */
bool proof_equal(const uint8_t *a, const uint8_t *b);
/* Errors: -ENOTSUP: this system has no random numbers. */
int proof_nonce(uint8_t nonce[KVMI_HANDSHAKE_NONCE_SIZE]);

#endif
