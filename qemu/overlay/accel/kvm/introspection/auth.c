/*
 * Whether QEMU and the tool have the same key.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "crypto/hash.h"
#include "crypto/secret_common.h"
#include "auth.h"
#include "proof.h"

/* Old tools send this digest of the key, which is as good as the key. */
static bool load_digest(Introspection *s, Error **errp)
{
    size_t size = 0;

    if (!s->old_auth) {
        return true;
    }
    if (qcrypto_hash_bytes(QCRYPTO_HASH_ALGO_SHA1, (const char *)s->secret,
                           s->secret_size, &s->key_digest, &size, errp) < 0) {
        return false;
    }
    assert(size == KVMI_HANDSHAKE_HASH_SIZE);
    return true;
}

bool introspection_auth_load(Introspection *s, Error **errp)
{
    if (!s->key) {
        warn_report("introspection '%s': no key, the tool is not"
                    " authenticated", introspection_id(s));
        return true;
    }
    if (qcrypto_secret_lookup(s->key, &s->secret, &s->secret_size, errp) < 0) {
        return false;
    }
    if (!s->secret_size) {
        error_setg(errp, "the secret '%s' is empty", s->key);
        return false;
    }
    return load_digest(s, errp);
}

void introspection_auth_unload(Introspection *s)
{
    if (s->secret) {
        explicit_bzero(s->secret, s->secret_size);
    }
    g_clear_pointer(&s->secret, g_free);
    g_clear_pointer(&s->key_digest, g_free);
    g_clear_pointer(&s->said, g_byte_array_unref);
}

uint32_t introspection_auth_features(Introspection *s)
{
    return s->secret ? KVMI_FEATURE_HMAC : 0;
}

static bool check_choice(Introspection *s, Error **errp)
{
    uint32_t chosen = s->reader.features;

    if (chosen & ~s->offered) {
        error_setg(errp, "the tool has chosen what was not offered to it");
        return false;
    }
    if (chosen && !(chosen & KVMI_FEATURE_READY)) {
        error_setg(errp, "the tool does not wait for what it has chosen");
        return false;
    }
    return true;
}

static bool check_proof(Introspection *s, Error **errp)
{
    const HandshakeReader *reader = &s->reader;
    uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE];

    if (!reader->has_nonce || !reader->proof) {
        error_setg(errp, "the tool has sent no nonce or no proof");
        return false;
    }
    if (!proof_make(s->secret, s->secret_size, KVMI_HANDSHAKE_LABEL_TOOL,
                    s->said, reader->bytes, reader->proof, proof, errp)) {
        return false;
    }
    if (!proof_equal(proof, reader->bytes + reader->proof)) {
        error_setg(errp, "the tool does not have the key");
        return false;
    }
    return true;
}

static bool check_digest(Introspection *s, Error **errp)
{
    if (!s->old_auth) {
        error_setg(errp, "the tool does not prove by HMAC that it has the key:"
                   " use a newer tool, and give it the key; old-auth=on lets"
                   " in those that send its SHA-1 digest");
        return false;
    }
    if (!handshake_reply_matches(&s->reader, s->key_digest)) {
        error_setg(errp, "the tool does not have the key");
        return false;
    }
    return true;
}

bool introspection_auth_accepts(Introspection *s, Error **errp)
{
    if (!check_choice(s, errp)) {
        return false;
    }
    if (!s->secret) {
        return true;
    }
    return s->reader.features & KVMI_FEATURE_HMAC ? check_proof(s, errp) :
                                                    check_digest(s, errp);
}

bool introspection_auth_prove(Introspection *s, GByteArray *message,
                              Error **errp)
{
    uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE] = { };
    uint32_t size;

    if (!(s->reader.features & KVMI_FEATURE_HMAC)) {
        handshake_set_size(message);
        return true;
    }

    /* The size is among what is proved. */
    handshake_append(message, KVMI_RECORD_PROOF, proof, sizeof(proof));
    handshake_set_size(message);
    size = message->len - sizeof(proof);
    g_byte_array_append(s->said, s->reader.bytes, s->reader.received);
    return proof_make(s->secret, s->secret_size, KVMI_HANDSHAKE_LABEL_QEMU,
                      s->said, message->data, size, message->data + size,
                      errp);
}
