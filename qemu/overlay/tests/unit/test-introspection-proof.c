/*
 * Unit test of the proof that one has the key of introspection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "../../accel/kvm/introspection/proof.h"

/*
 * HMAC-SHA256 with the key "letmein", by another program, of "kvmi tool 1" and
 * five zeros, "what was said" and "the message".
 */
static const uint8_t expected[KVMI_HANDSHAKE_PROOF_SIZE] = {
    0xd3, 0x4c, 0x73, 0x67, 0xf7, 0x28, 0x74, 0x56,
    0xc0, 0x7d, 0xf8, 0xbb, 0xf6, 0xdb, 0xe7, 0x2d,
    0x3f, 0x7d, 0x88, 0x1b, 0xd7, 0x74, 0xd7, 0x06,
    0x4d, 0x87, 0x16, 0xfb, 0xdd, 0xc8, 0x06, 0x7b,
};

static const uint8_t key[] = "letmein";
static const uint8_t message[] = "the message and more";

static GByteArray *make_said(const char *text)
{
    GByteArray *said = g_byte_array_new();

    return g_byte_array_append(said, (const uint8_t *)text, strlen(text));
}

static bool proves(size_t key_size, const char *label, const char *text,
                   size_t size)
{
    g_autoptr(GByteArray) said = make_said(text);
    uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE];

    g_assert_true(proof_make(key, key_size, label, said, message, size, proof,
                             &error_abort));
    return proof_equal(proof, expected);
}

static void test_known(void)
{
    g_assert_true(proves(7, KVMI_HANDSHAKE_LABEL_TOOL, "what was said", 11));
}

/* Another key, speaker, history or message has another proof. */
static void test_others(void)
{
    g_assert_false(proves(6, KVMI_HANDSHAKE_LABEL_TOOL, "what was said", 11));
    g_assert_false(proves(7, KVMI_HANDSHAKE_LABEL_QEMU, "what was said", 11));
    g_assert_false(proves(7, KVMI_HANDSHAKE_LABEL_TOOL, "what was sai", 11));
    g_assert_false(proves(7, KVMI_HANDSHAKE_LABEL_TOOL, "what was said", 12));
}

static void test_equal(void)
{
    uint8_t other[KVMI_HANDSHAKE_PROOF_SIZE];
    int bit;

    for (bit = 0; bit < KVMI_HANDSHAKE_PROOF_SIZE * 8; bit++) {
        memcpy(other, expected, sizeof(other));
        other[bit / 8] ^= 1 << bit % 8;
        g_assert_false(proof_equal(other, expected));
    }
    g_assert_true(proof_equal(expected, expected));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/introspection/proof/known", test_known);
    g_test_add_func("/introspection/proof/others", test_others);
    g_test_add_func("/introspection/proof/equal", test_equal);
    return g_test_run();
}
