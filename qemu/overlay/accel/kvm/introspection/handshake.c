/*
 * What QEMU and an introspection tool say to each other before KVM takes the
 * socket: bytes in, state out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "handshake.h"

#define SIZE_FIELD sizeof_field(struct kvmi_introspector2qemu, struct_size)

void handshake_fill_hello(struct kvmi_qemu2introspector *hello,
                          const uint8_t *uuid, int64_t start_time,
                          const char *name, uint64_t max_gpa)
{
    memset(hello, 0, sizeof(*hello));
    hello->struct_size = sizeof(*hello);
    memcpy(hello->uuid, uuid, sizeof(hello->uuid));
    hello->start_time = start_time;
    pstrcpy(hello->name, sizeof(hello->name), name ?: "");
    hello->max_gpa = max_gpa;
}

void handshake_append(GByteArray *msg, uint16_t type, const void *content,
                      uint32_t size)
{
    struct kvmi_handshake_record record = { .type = type, .size = size };
    static const uint8_t filling[8];

    assert(msg->len % 8 == 0);
    g_byte_array_append(msg, (const uint8_t *)&record, sizeof(record));
    g_byte_array_append(msg, content, size);
    g_byte_array_append(msg, filling, -size % 8);
}

void handshake_append_features(GByteArray *msg, uint32_t features)
{
    struct kvmi_handshake_features content = { .features = features };

    handshake_append(msg, KVMI_RECORD_FEATURES, &content, sizeof(content));
}

void handshake_set_size(GByteArray *msg)
{
    uint32_t size = msg->len;

    assert(size <= KVMI_HANDSHAKE_MAX);
    memcpy(msg->data, &size, sizeof(size));
}

void handshake_reader_init(HandshakeReader *reader)
{
    /* Not the whole of it: it is large. */
    reader->status = HANDSHAKE_MORE;
    reader->received = 0;
    memset(&reader->reply, 0, sizeof(reader->reply));
    reader->features = 0;
    reader->has_nonce = false;
    reader->proof = 0;
}

/* The size is trusted only when all of its bytes are in. */
uint32_t handshake_reader_wants(const HandshakeReader *reader)
{
    if (reader->status != HANDSHAKE_MORE) {
        return 0;
    }
    if (reader->received < SIZE_FIELD) {
        return SIZE_FIELD - reader->received;
    }
    return reader->reply.struct_size - reader->received;
}

static bool take_features(HandshakeReader *reader, uint32_t at, uint32_t size)
{
    struct kvmi_handshake_features content;

    if (size < sizeof(content)) {
        return false;
    }
    memcpy(&content, reader->bytes + at, sizeof(content));
    reader->features = content.features;
    return true;
}

/* Each type comes once, and nothing comes behind the proof. */
static bool take_record(HandshakeReader *reader, uint16_t type, uint32_t at,
                        uint32_t size)
{
    if (reader->proof) {
        return false;
    }
    switch (type) {
    case KVMI_RECORD_FEATURES:
        return at == KVMI_HANDSHAKE_REPLY_MIN +
                     sizeof(struct kvmi_handshake_record) &&
               take_features(reader, at, size);
    case KVMI_RECORD_NONCE:
        if (reader->has_nonce || size != KVMI_HANDSHAKE_NONCE_SIZE) {
            return false;
        }
        reader->has_nonce = true;
        return true;
    case KVMI_RECORD_PROOF:
        reader->proof = at;
        return size == KVMI_HANDSHAKE_PROOF_SIZE;
    default:
        return true;
    }
}

static bool is_our_tail(const HandshakeReader *reader)
{
    struct kvmi_handshake_record first;

    if (reader->received < sizeof(reader->reply) + sizeof(first)) {
        return false;
    }
    memcpy(&first, reader->bytes + sizeof(reader->reply), sizeof(first));
    return first.type == KVMI_RECORD_FEATURES;
}

static bool take_tail(HandshakeReader *reader)
{
    struct kvmi_handshake_record record;
    uint32_t at = sizeof(reader->reply);
    uint32_t left;

    if (!is_our_tail(reader)) {
        return true;
    }
    while (at < reader->received) {
        left = reader->received - at;
        if (left < sizeof(record)) {
            return false;
        }
        memcpy(&record, reader->bytes + at, sizeof(record));
        at += sizeof(record);
        left -= sizeof(record);
        if (record.size > left || ROUND_UP(record.size, 8) > left ||
            !take_record(reader, record.type, at, record.size)) {
            return false;
        }
        at += ROUND_UP(record.size, 8);
    }
    return true;
}

HandshakeStatus handshake_reader_feed(HandshakeReader *reader,
                                      const uint8_t *buf, uint32_t len)
{
    assert(len <= handshake_reader_wants(reader));

    memcpy(reader->bytes + reader->received, buf, len);
    reader->received += len;

    if (reader->received < SIZE_FIELD) {
        return reader->status;
    }
    if (reader->reply.struct_size < KVMI_HANDSHAKE_REPLY_MIN ||
        reader->reply.struct_size > KVMI_HANDSHAKE_MAX) {
        reader->status = HANDSHAKE_MALFORMED;
    } else if (reader->received == reader->reply.struct_size) {
        reader->status = take_tail(reader) ? HANDSHAKE_DONE :
                                             HANDSHAKE_MALFORMED;
    }
    return reader->status;
}

bool handshake_reply_matches(const HandshakeReader *reader,
                             const uint8_t *digest)
{
    uint8_t differs = 0;
    size_t i;

    for (i = 0; i < KVMI_HANDSHAKE_HASH_SIZE; i++) {
        differs |= reader->reply.cookie_hash[i] ^ digest[i];
    }
    return !differs;
}
