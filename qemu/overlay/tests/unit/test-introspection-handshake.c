/*
 * Unit test of the handshake with an introspection tool.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "../../accel/kvm/introspection/handshake.h"

static const uint8_t uuid[16] = {
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
};

static const uint8_t digest[KVMI_HANDSHAKE_HASH_SIZE] = "0123456789abcdefghi";

/* A reply of @size bytes that announces @size and carries the digest. */
static uint8_t *make_reply(uint32_t size)
{
    uint8_t *buf = g_malloc0(MAX(size, KVMI_HANDSHAKE_REPLY_MIN));

    memcpy(buf, &size, sizeof(size));
    memcpy(buf + sizeof(size), digest, sizeof(digest));
    return buf;
}

/* Feed what is wanted, at most @step bytes at a time; count what is taken. */
static uint32_t feed(HandshakeReader *reader, const uint8_t *buf,
                     uint32_t step)
{
    uint32_t taken = 0;
    uint32_t n;

    handshake_reader_init(reader);
    while ((n = MIN(handshake_reader_wants(reader), step)) > 0) {
        g_assert_cmpint(reader->status, ==, HANDSHAKE_MORE);
        g_assert_cmpint(handshake_reader_feed(reader, buf + taken, n), ==,
                        reader->status);
        taken += n;
    }
    return taken;
}

static void test_hello_bytes(void)
{
    struct kvmi_qemu2introspector hello;
    const uint8_t *bytes = (const uint8_t *)&hello;

    memset(&hello, 0xff, sizeof(hello));
    handshake_fill_hello(&hello, uuid, INT64_C(0x1122334455667788), "guest",
                         UINT64_C(0x140000000));

    g_assert_cmpuint(sizeof(hello), ==, 104);
    g_assert_cmpuint(ldl_he_p(bytes), ==, 104);
    g_assert_cmpmem(bytes + 4, 16, uuid, 16);
    g_assert_cmpuint(ldl_he_p(bytes + 20), ==, 0);
    g_assert_cmphex(ldq_he_p(bytes + 24), ==, UINT64_C(0x1122334455667788));
    g_assert_cmpstr((const char *)bytes + 32, ==, "guest");
    g_assert_true(buffer_is_zero(bytes + 37, 96 - 37));
    g_assert_cmphex(ldq_he_p(bytes + 96), ==, UINT64_C(0x140000000));
}

static void test_hello_name(void)
{
    struct kvmi_qemu2introspector hello;
    g_autofree char *name = g_strnfill(100, 'x');

    handshake_fill_hello(&hello, uuid, 0, name, 0);
    g_assert_cmpuint(strnlen(hello.name, sizeof(hello.name)), ==, 63);

    handshake_fill_hello(&hello, uuid, 0, NULL, 0);
    g_assert_true(buffer_is_zero(hello.name, sizeof(hello.name)));
}

/* However the bytes arrive, exactly the announced ones are taken. */
static void test_reply_pieces(void)
{
    static const uint32_t sizes[] = { 24, 25, 64, 4096, KVMI_HANDSHAKE_MAX };
    static HandshakeReader reader;
    uint32_t step;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        g_autofree uint8_t *reply = make_reply(sizes[i]);

        for (step = 1; step <= 32; step++) {
            g_assert_cmpuint(feed(&reader, reply, step), ==, sizes[i]);
            g_assert_cmpint(reader.status, ==, HANDSHAKE_DONE);
            g_assert_true(handshake_reply_matches(&reader, digest));
        }
        g_assert_cmpuint(feed(&reader, reply, UINT32_MAX), ==, sizes[i]);
        g_assert_cmpint(reader.status, ==, HANDSHAKE_DONE);
    }
}

/* One, two or three bytes of the size say nothing. */
static void test_reply_size_in_parts(void)
{
    const uint8_t bytes[] = { 24, 0, 0, 0 };
    static HandshakeReader reader;
    int i;

    handshake_reader_init(&reader);
    for (i = 0; i < 4; i++) {
        g_assert_cmpuint(handshake_reader_wants(&reader), ==, 4 - i);
        g_assert_cmpint(handshake_reader_feed(&reader, &bytes[i], 1), ==,
                        HANDSHAKE_MORE);
    }
    g_assert_cmpuint(handshake_reader_wants(&reader), ==, 20);
}

/* A bad size is known after four bytes, and nothing more is taken. */
static void test_reply_malformed(void)
{
    static const uint32_t sizes[] = {
        0, 1, 3, 4, 23, KVMI_HANDSHAKE_MAX + 1, INT32_MAX,
        UINT32_C(0x80000000), UINT32_MAX,
    };
    static HandshakeReader reader;
    uint32_t step;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(sizes); i++) {
        uint8_t reply[KVMI_HANDSHAKE_REPLY_MIN] = { };

        memcpy(reply, &sizes[i], sizeof(sizes[i]));
        for (step = 1; step <= 8; step++) {
            g_assert_cmpuint(feed(&reader, reply, step), ==, 4);
            g_assert_cmpint(reader.status, ==, HANDSHAKE_MALFORMED);
            g_assert_cmpuint(handshake_reader_wants(&reader), ==, 0);
        }
    }
}

/* A reply whose tail begins; the caller frees it. */
static GByteArray *begin_reply(uint32_t features)
{
    GByteArray *msg = g_byte_array_new();
    g_autofree uint8_t *known = make_reply(KVMI_HANDSHAKE_REPLY_MIN);

    g_byte_array_append(msg, known, KVMI_HANDSHAKE_REPLY_MIN);
    handshake_append_features(msg, features);
    return msg;
}

static HandshakeStatus judge(HandshakeReader *reader, GByteArray *msg,
                             uint32_t step)
{
    handshake_set_size(msg);
    feed(reader, msg->data, step);
    return reader->status;
}

static void test_tail_read(void)
{
    static const uint8_t bytes[32] = "0123456789abcdef";
    static HandshakeReader reader;
    uint32_t step;

    for (step = 1; step < 160; step++) {
        g_autoptr(GByteArray) msg = begin_reply(7);

        handshake_append(msg, KVMI_RECORD_NONCE, bytes, 32);
        handshake_append(msg, 0x7777, "unknown", 7);
        handshake_append(msg, KVMI_RECORD_PROOF, bytes, 32);
        g_assert_cmpint(judge(&reader, msg, step), ==, HANDSHAKE_DONE);
        g_assert_cmpuint(reader.features, ==, 7);
        g_assert_true(reader.has_nonce);
        g_assert_cmpuint(reader.proof, ==, msg->len - 32);
        g_assert_cmpmem(reader.bytes + reader.proof, 32, bytes, 32);
        g_assert_cmpmem(reader.bytes, msg->len, msg->data, msg->len);
    }
}

/* What is not ours is dropped, and a reader forgets what it had. */
static void test_tail_of_others(void)
{
    static HandshakeReader reader;
    g_autoptr(GByteArray) ours = begin_reply(7);
    g_autofree uint8_t *other = make_reply(64);

    g_assert_cmpint(judge(&reader, ours, 64), ==, HANDSHAKE_DONE);
    g_assert_cmpuint(reader.features, ==, 7);
    memset(other + 24, 'x', 40);
    feed(&reader, other, 64);
    g_assert_cmpint(reader.status, ==, HANDSHAKE_DONE);
    g_assert_cmpuint(reader.features, ==, 0);
    g_assert_false(reader.has_nonce);
    g_assert_cmpuint(reader.proof, ==, 0);
}

/* Cut anywhere but behind a record, it is malformed. */
static void test_tail_cut(void)
{
    static HandshakeReader reader;
    g_autoptr(GByteArray) msg = begin_reply(7);
    uint32_t first = msg->len, whole;

    handshake_append(msg, KVMI_RECORD_NONCE, digest, 20);
    whole = msg->len;
    g_assert_cmpint(judge(&reader, msg, 64), ==, HANDSHAKE_MALFORMED);
    for (; msg->len > 32; g_byte_array_set_size(msg, msg->len - 1)) {
        g_assert_cmpint(judge(&reader, msg, 64), ==,
                        msg->len == first ? HANDSHAKE_DONE :
                                            HANDSHAKE_MALFORMED);
    }
    g_assert_cmpuint(whole, >, first);
}

static void test_tail_record_sizes(void)
{
    static const uint32_t sizes[] = {
        31, 33, 40, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffff9, 0xffffffff,
    };
    static const uint16_t types[] = { KVMI_RECORD_NONCE, KVMI_RECORD_PROOF };
    static HandshakeReader reader;
    static const uint8_t bytes[40];
    size_t i, j;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        for (j = 0; j < ARRAY_SIZE(sizes); j++) {
            g_autoptr(GByteArray) msg = begin_reply(0);

            handshake_append(msg, types[i], bytes, 40);
            memcpy(msg->data + 24 + 16 + 4, &sizes[j], 4);
            g_assert_cmpint(judge(&reader, msg, 64), ==, HANDSHAKE_MALFORMED);
        }
    }
}

static void test_tail_twice(void)
{
    static const uint16_t types[] = {
        KVMI_RECORD_FEATURES, KVMI_RECORD_NONCE, KVMI_RECORD_PROOF,
    };
    static const uint8_t bytes[32];
    static HandshakeReader reader;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(types); i++) {
        g_autoptr(GByteArray) msg = begin_reply(0);

        handshake_append(msg, types[i], bytes, 32);
        handshake_append(msg, types[i], bytes, 32);
        g_assert_cmpint(judge(&reader, msg, 64), ==, HANDSHAKE_MALFORMED);
    }
}

/* What follows the proof would not be proved. */
static void test_tail_after_proof(void)
{
    g_autoptr(GByteArray) msg = begin_reply(0);
    static const uint8_t bytes[32];
    static HandshakeReader reader;

    handshake_append(msg, KVMI_RECORD_PROOF, bytes, 32);
    g_assert_cmpint(judge(&reader, msg, 64), ==, HANDSHAKE_DONE);
    handshake_append(msg, 0x7777, bytes, 0);
    g_assert_cmpint(judge(&reader, msg, 64), ==, HANDSHAKE_MALFORMED);
}

static void test_reply_digest(void)
{
    g_autofree uint8_t *reply = make_reply(KVMI_HANDSHAKE_REPLY_MIN);
    static HandshakeReader reader;
    int bit;

    for (bit = 0; bit < KVMI_HANDSHAKE_HASH_SIZE * 8; bit++) {
        reply[4 + bit / 8] ^= 1 << bit % 8;
        feed(&reader, reply, 24);
        g_assert_false(handshake_reply_matches(&reader, digest));
        reply[4 + bit / 8] ^= 1 << bit % 8;
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/introspection/hello/bytes", test_hello_bytes);
    g_test_add_func("/introspection/hello/name", test_hello_name);
    g_test_add_func("/introspection/reply/pieces", test_reply_pieces);
    g_test_add_func("/introspection/reply/size-in-parts",
                    test_reply_size_in_parts);
    g_test_add_func("/introspection/reply/malformed", test_reply_malformed);
    g_test_add_func("/introspection/reply/digest", test_reply_digest);
    g_test_add_func("/introspection/tail/read", test_tail_read);
    g_test_add_func("/introspection/tail/of-others", test_tail_of_others);
    g_test_add_func("/introspection/tail/cut", test_tail_cut);
    g_test_add_func("/introspection/tail/record-sizes",
                    test_tail_record_sizes);
    g_test_add_func("/introspection/tail/twice", test_tail_twice);
    g_test_add_func("/introspection/tail/after-proof", test_tail_after_proof);
    return g_test_run();
}
