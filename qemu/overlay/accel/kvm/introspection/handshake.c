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

void handshake_reader_init(HandshakeReader *reader)
{
    memset(reader, 0, sizeof(*reader));
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

HandshakeStatus handshake_reader_feed(HandshakeReader *reader,
                                      const uint8_t *buf, uint32_t len)
{
    assert(len <= handshake_reader_wants(reader));

    if (reader->received < sizeof(reader->reply)) {
        memcpy((uint8_t *)&reader->reply + reader->received, buf,
               MIN(len, sizeof(reader->reply) - reader->received));
    }
    reader->received += len;

    if (reader->received < SIZE_FIELD) {
        return reader->status;
    }
    if (reader->reply.struct_size < KVMI_HANDSHAKE_REPLY_MIN ||
        reader->reply.struct_size > KVMI_HANDSHAKE_MAX) {
        reader->status = HANDSHAKE_MALFORMED;
    } else if (reader->received == reader->reply.struct_size) {
        reader->status = HANDSHAKE_DONE;
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
