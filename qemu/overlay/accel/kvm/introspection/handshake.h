/*
 * What QEMU and an introspection tool say to each other before KVM takes the
 * socket: bytes in, state out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ACCEL_KVM_INTROSPECTION_HANDSHAKE_H
#define ACCEL_KVM_INTROSPECTION_HANDSHAKE_H

#include <kvmi/handshake.h>

typedef enum HandshakeStatus {
    HANDSHAKE_MORE,         /* the reply is not complete */
    HANDSHAKE_DONE,
    HANDSHAKE_MALFORMED,    /* a size is out of range */
} HandshakeStatus;

typedef struct HandshakeReader {
    HandshakeStatus status;
    uint32_t received;      /* bytes of the reply so far */
    union {
        struct kvmi_introspector2qemu reply;
        uint8_t bytes[KVMI_HANDSHAKE_MAX];
    };

    /* of the reply's tail, once the status is HANDSHAKE_DONE */
    uint32_t features;      /* KVMI_FEATURE_..., what the tool has chosen */
    bool has_nonce;
    uint32_t proof;         /* where it begins, 0 if there is none */
} HandshakeReader;

/**
 * handshake_fill_hello:
 * @hello: the message to fill
 * @uuid: the 16 bytes of the VM's UUID in text order
 * @start_time: when this run of the guest began, in seconds since the epoch
 * @name: name of the VM, cut when it is too long, or NULL
 * @max_gpa: end of the highest RAM of the guest
 *
 * Prepare the message that QEMU sends when it is connected.
 */
void handshake_fill_hello(struct kvmi_qemu2introspector *hello,
                          const uint8_t *uuid, int64_t start_time,
                          const char *name, uint64_t max_gpa);

/**
 * handshake_append:
 * @msg: a message, of a multiple of 8 bytes
 * @type: KVMI_RECORD_...
 * @content: what to append
 * @size: bytes of it
 *
 * Append a record to the tail of a message.
 */
void handshake_append(GByteArray *msg, uint16_t type, const void *content,
                      uint32_t size);

/**
 * handshake_append_features:
 * @msg: a message, of a multiple of 8 bytes
 * @features: KVMI_FEATURE_...
 *
 * Begin the tail of a hello.
 */
void handshake_append_features(GByteArray *msg, uint32_t features);

/**
 * handshake_set_size:
 * @msg: a message that is complete
 *
 * Let a message announce its size.
 */
void handshake_set_size(GByteArray *msg);

/**
 * handshake_reader_init:
 * @reader: the reader
 *
 * Start to read a new reply.
 */
void handshake_reader_init(HandshakeReader *reader);

/**
 * handshake_reader_wants:
 * @reader: the reader
 *
 * The tool may send its first commands together with the reply; they are
 * KVM's.  So never take more from the socket than this returns.
 *
 * Returns: how many bytes handshake_reader_feed() takes at most, 0 when
 * nothing is missing
 */
uint32_t handshake_reader_wants(const HandshakeReader *reader);

/**
 * handshake_reader_feed:
 * @reader: the reader
 * @buf: bytes from the tool
 * @len: number of bytes, at most what handshake_reader_wants() returned
 *
 * Take the next bytes of the reply.  Its tail is judged when it is complete: an
 * unknown record is skipped, and a tail of an unknown kind is dropped.
 *
 * Returns: the status of the whole reply
 */
HandshakeStatus handshake_reader_feed(HandshakeReader *reader,
                                      const uint8_t *buf, uint32_t len);

/**
 * handshake_reply_matches:
 * @reader: a reader whose status is HANDSHAKE_DONE
 * @digest: the expected digest, KVMI_HANDSHAKE_HASH_SIZE bytes
 *
 * Compare in a time that does not depend on the content.
 *
 * Returns: whether the tool sent @digest
 */
bool handshake_reply_matches(const HandshakeReader *reader,
                             const uint8_t *digest);

#endif
