/*
 * The proof that one has the key, without telling it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "crypto/hmac.h"
#include "proof.h"

bool proof_make(const uint8_t *key, size_t key_size, const char *label,
                const GByteArray *said, const uint8_t *message, size_t size,
                uint8_t *proof, Error **errp)
{
    char speaker[KVMI_HANDSHAKE_LABEL_SIZE] = { };
    const struct iovec parts[] = {
        { speaker, sizeof(speaker) },
        { said->data, said->len },
        { (void *)message, size },
    };
    size_t proof_size = KVMI_HANDSHAKE_PROOF_SIZE;
    QCryptoHmac *hmac;
    int ret;

    assert(strlen(label) < sizeof(speaker));
    memcpy(speaker, label, strlen(label));
    hmac = qcrypto_hmac_new(QCRYPTO_HASH_ALGO_SHA256, key, key_size, errp);
    if (!hmac) {
        return false;
    }
    ret = qcrypto_hmac_bytesv(hmac, parts, ARRAY_SIZE(parts), &proof,
                              &proof_size, errp);
    qcrypto_hmac_free(hmac);
    return ret >= 0;
}

bool proof_equal(const uint8_t *a, const uint8_t *b)
{
    uint8_t differs = 0;
    size_t i;

    for (i = 0; i < KVMI_HANDSHAKE_PROOF_SIZE; i++) {
        differs |= a[i] ^ b[i];
    }
    return !differs;
}
