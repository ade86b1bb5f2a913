// SPDX-License-Identifier: LGPL-2.1-or-later
/* The proof that one has the key, without telling it. */
#include <errno.h>
#include <string.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "proof.h"

int proof_key(uint8_t key[PROOF_KEY_SIZE], const void *secret, size_t size)
{
	memset(key, 0, PROOF_KEY_SIZE);
	if (size <= PROOF_KEY_SIZE)
		memcpy(key, secret, size);
	else if (gnutls_hash_fast(GNUTLS_DIG_SHA256, secret, size, key))
		return -ENOTSUP;
	return 0;
}

int proof_make(const uint8_t key[PROOF_KEY_SIZE], const char *label,
	       const struct iovec *said, size_t count,
	       uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE])
{
	char speaker[KVMI_HANDSHAKE_LABEL_SIZE] = { 0 };
	gnutls_hmac_hd_t hmac;
	size_t i;
	int err;

	memcpy(speaker, label, strlen(label));
	if (gnutls_hmac_init(&hmac, GNUTLS_MAC_SHA256, key, PROOF_KEY_SIZE))
		return -ENOTSUP;

	err = gnutls_hmac(hmac, speaker, sizeof(speaker));
	for (i = 0; i < count && !err; i++)
		err = gnutls_hmac(hmac, said[i].iov_base, said[i].iov_len);
	gnutls_hmac_deinit(hmac, proof);
	return err ? -ENOTSUP : 0;
}

bool proof_equal(const uint8_t *a, const uint8_t *b)
{
	return !gnutls_memcmp(a, b, KVMI_HANDSHAKE_PROOF_SIZE);
}

int proof_nonce(uint8_t nonce[KVMI_HANDSHAKE_NONCE_SIZE])
{
	return gnutls_rnd(GNUTLS_RND_NONCE, nonce,
			  KVMI_HANDSHAKE_NONCE_SIZE) ? -ENOTSUP : 0;
}
