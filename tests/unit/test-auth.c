// SPDX-License-Identifier: GPL-2.0-or-later
/* The key: both sides prove that they have it, or there is no session. */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "options.h"
#include "proof.h"
#include "rig.h"

#define BOTH (KVMI_FEATURE_READY | KVMI_FEATURE_HMAC)

/* A device manager, and what it does otherwise than it should. */
struct manager {
	const char *key;
	uint32_t features;		/* offered */
	bool has_no_nonce;
	bool is_short;			/* hello of 104 bytes */
	const uint8_t *replay;		/* a ready that was right once */
	size_t replay_size;
	enum {
		HONEST, NO_PROOF, BAD_PROOF, BAD_BYTE, TOOLS_LABEL, TOOLS_PROOF,
		OTHER_FEATURES, TRAILER, SMALL, HUGE, CUT, SILENT, REPLAY,
	} fault;

	bool is_proved;		/* the tool proved its key */
	size_t answer_size;
	uint8_t said[2048];		/* hello and answer */
	size_t said_size;
	uint8_t ready[256];
	size_t ready_size;
};

/* Put together by hand, to hold the library against. */
static void prove(const struct manager *m, const char *who,
		  const uint8_t *more, size_t size, uint8_t *proof)
{
	uint8_t all[4096] = { 0 };

	memcpy(all, who, strlen(who));
	memcpy(all + 16, m->said, m->said_size);
	memcpy(all + 16 + m->said_size, more, size);
	gnutls_hmac_fast(GNUTLS_MAC_SHA256, m->key, strlen(m->key), all,
			 16 + m->said_size + size, proof);
}

static void make_hello(struct manager *m)
{
	uint8_t nonce[32];

	m->said_size = peer_long_hello(m->said, "locked", 1, m->features);
	gnutls_rnd(GNUTLS_RND_NONCE, nonce, sizeof(nonce));
	if (!m->has_no_nonce)
		m->said_size = peer_append(m->said, m->said_size,
					   KVMI_RECORD_NONCE, nonce, 32);
	if (m->is_short) {
		m->said_size = 104;
		memcpy(m->said, &(uint32_t){ 104 }, 4);
	}
}

/* Takes the answer, and whether its proof is right. */
static int take_answer(struct manager *m, int fd)
{
	uint8_t *answer = m->said + m->said_size;
	uint8_t proof[32];
	uint32_t size;

	if (script_receive(fd, &size, 4) || size > 256)
		return -EPIPE;
	memcpy(answer, &size, 4);
	if (script_receive(fd, answer + 4, size - 4))
		return -EPIPE;
	m->answer_size = size;
	if (size == 24 + 16 + 40 + 40) {
		prove(m, "kvmi tool 1", answer, size - 32, proof);
		m->is_proved = !memcmp(proof, answer + size - 32, 32);
	}
	m->said_size += size;
	return 0;
}

static void make_ready(struct manager *m)
{
	struct kvmi_handshake_ready head = { .features = BOTH };
	uint8_t zeros[32] = { 0 };
	size_t proof = 16;

	if (m->fault == OTHER_FEATURES)
		head.features = KVMI_FEATURE_READY;
	memcpy(m->ready, &head, 8);
	m->ready_size = 8;
	if (m->fault == NO_PROOF) {
		memcpy(m->ready, &(uint32_t){ 8 }, 4);
		return;
	}
	m->ready_size = peer_append(m->ready, 8, KVMI_RECORD_PROOF, zeros, 32);
	prove(m, m->fault == TOOLS_LABEL ? "kvmi tool 1" : "kvmi qemu 1",
	      m->ready, proof, m->ready + proof);
	if (m->fault == BAD_PROOF)
		m->ready[m->ready_size - 1] ^= 1;
	if (m->fault == BAD_BYTE)
		m->ready[10] ^= 1;
	if (m->fault == TOOLS_PROOF)
		memcpy(m->ready + proof, m->said + m->said_size - 32, 32);
	if (m->fault == TRAILER)
		m->ready_size = peer_append(m->ready, m->ready_size, 0x7777,
					    zeros, 8);
	if (m->fault == SMALL)
		memcpy(m->ready, &(uint32_t){ 7 }, 4);
	if (m->fault == HUGE)
		memcpy(m->ready, &(uint32_t){ 65537 }, 4);
	if (m->fault == REPLAY) {
		m->ready_size = m->replay_size;
		memcpy(m->ready, m->replay, m->replay_size);
	}
}

static int serve(int fd, void *arg)
{
	struct manager *m = arg;
	struct frame frame;
	uint8_t byte;

	make_hello(m);
	if (script_send(fd, m->said, m->said_size) || take_answer(m, fd))
		return -EPIPE;
	if (m->fault == SILENT)
		return script_receive(fd, &byte, 1);
	if (m->answer_size > 24) {
		make_ready(m);
		m->ready_size -= m->fault == CUT;
		if (script_send(fd, m->ready, m->ready_size))
			return -EPIPE;
	}
	if (m->fault == CUT)
		return 0;
	if (script_command(fd, &frame))
		return -EPIPE;
	return script_version(fd, &frame, 1);
}

static int open_with(struct manager *m, const char *key, int old_auth)
{
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	struct rig rig;
	int fd, err;

	rig_options(&opts);
	opts.key = key;
	opts.key_size = key ? strlen(key) : 0;
	opts.old_auth = old_auth;
	if (m->fault == SILENT)
		opts.handshake_timeout = 50;
	fd = rig_start(&rig, serve, m);
	err = kvmi_vm_open_fd(&vm, fd, &opts);
	if (!err) {
		assert_int_equal(kvmi_vm_is_authenticated(vm),
				 m->answer_size == 120);
		kvmi_vm_close(vm);
		fd = -1;
	}
	rig_stop(&rig, fd);
	return err;
}

static const char *const long_key =
	"a key of more than sixty-four bytes, which the HMAC has to hash first";

static void both_prove_it(void **state)
{
	struct manager m = { .key = "letmein", .features = BOTH };
	struct manager l = { .key = long_key, .features = BOTH };

	(void)state;
	assert_err(0, open_with(&m, "letmein", 0));
	assert_true(m.is_proved);
	assert_err(0, open_with(&l, long_key, 1));
	assert_true(l.is_proved);
}

static void impostor_is_refused(void **state)
{
	static const struct {
		int fault;
		int err;
	} cases[] = {
		{ NO_PROOF, -EKEYREJECTED }, { BAD_PROOF, -EKEYREJECTED },
		{ BAD_BYTE, -EKEYREJECTED }, { TOOLS_LABEL, -EKEYREJECTED },
		{ TOOLS_PROOF, -EKEYREJECTED }, { OTHER_FEATURES, -EPROTO },
		{ TRAILER, -EPROTO }, { SMALL, -EPROTO }, { HUGE, -EPROTO },
		{ CUT, -ECONNREFUSED }, { SILENT, -ETIMEDOUT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct manager m = { .key = "letmein", .features = BOTH,
				     .fault = cases[i].fault };

		assert_err_of(kvmi_vm_open_fd, cases[i].err, open_with(&m, "letmein", 0));
	}
}

static void other_key_is_told(void **state)
{
	struct manager m = { .key = "letmeout", .features = BOTH };

	(void)state;
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&m, "letmein", 0));
	assert_false(m.is_proved);
}

static void old_ready_is_refused(void **state)
{
	struct manager was = { .key = "letmein", .features = BOTH };
	struct manager m = { .key = "unknown", .features = BOTH,
			     .fault = REPLAY };

	(void)state;
	assert_err(0, open_with(&was, "letmein", 0));
	m.replay = was.ready;
	m.replay_size = was.ready_size;
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&m, "letmein", 0));
}

/* Nothing that tells the key is sent to those who offer less. */
static void downgrade_is_refused(void **state)
{
	struct manager bare = { .key = "letmein", .is_short = true };
	struct manager none = { .key = "letmein" };
	struct manager ready = { .key = "letmein",
				 .features = KVMI_FEATURE_READY };
	struct manager hmac = { .key = "letmein",
				.features = KVMI_FEATURE_HMAC };
	struct manager mute = { .key = "letmein", .features = BOTH,
				.has_no_nonce = true };

	(void)state;
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&bare, "letmein", 0));
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&none, "letmein", 0));
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&ready, "letmein", 0));
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&hmac, "letmein", 0));
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&mute, "letmein", 0));
	assert_int_equal(bare.answer_size, 0);
	assert_int_equal(ready.answer_size, 0);
}

static void downgrade_can_be_allowed(void **state)
{
	struct manager bare = { .key = "letmein", .is_short = true };
	struct manager both = { .key = "letmein", .features = BOTH,
				.fault = NO_PROOF };
	uint8_t digest[20], zeros[20] = { 0 };

	(void)state;
	gnutls_hash_fast(GNUTLS_DIG_SHA1, "letmein", 7, digest);
	assert_err(0, open_with(&bare, "letmein", 1));
	assert_int_equal(bare.answer_size, 24);
	assert_memory_equal(bare.said + 104 + 4, digest, 20);

	/* Who says that he can prove it has to, and is not told the hash. */
	assert_err_of(kvmi_vm_open_fd, -EKEYREJECTED, open_with(&both, "letmein", 1));
	assert_memory_equal(both.said + both.said_size - 120 + 4, zeros, 20);
}

static void key_that_is_wanted_is_told(void **state)
{
	struct manager m = { .key = "letmein", .features = BOTH };

	(void)state;
	assert_err_of(kvmi_vm_open_fd, -ENOKEY, open_with(&m, NULL, 0));
	assert_err_of(kvmi_vm_open_fd, -ENOKEY, open_with(&m, NULL, 1));
	assert_non_null(strstr(kvmi_strerror(-ENOKEY), "key"));
	assert_non_null(strstr(kvmi_strerror(-EKEYREJECTED), "prove"));
}

static void empty_key_is_no_key(void **state)
{
	struct kvmi_options opts;
	struct options known;

	(void)state;
	rig_options(&opts);
	opts.key = "";
	assert_err(-EINVAL, options_read(&known, &opts));
	opts.key = NULL;
	opts.key_size = 1;
	assert_err(-EINVAL, options_read(&known, &opts));
}

/* As another program makes it, of "label" and eleven zeros and the pieces. */
static void proof_is_hmac_sha256(void **state)
{
	static const uint8_t expected[32] = {
		0x33, 0x73, 0x7f, 0x25, 0x79, 0xb1, 0xdf, 0xa0,
		0xe1, 0x1c, 0x3f, 0xc7, 0x82, 0xe2, 0xe3, 0xf4,
		0x39, 0x01, 0xcc, 0xdd, 0x87, 0x00, 0x18, 0x77,
		0xb2, 0x4d, 0x19, 0x78, 0x2d, 0xed, 0x55, 0xaf,
	};
	struct iovec said[] = { { "one", 3 }, { "two", 3 } };
	uint8_t key[PROOF_KEY_SIZE], proof[32];

	(void)state;
	assert_err(0, proof_key(key, "letmein", 7));
	assert_err(0, proof_make(key, "label", said, 2, proof));
	assert_memory_equal(proof, expected, 32);
	assert_true(proof_equal(proof, expected));
	proof[31] ^= 0x80;
	assert_false(proof_equal(proof, expected));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_prove_it),
		cmocka_unit_test(impostor_is_refused),
		cmocka_unit_test(other_key_is_told),
		cmocka_unit_test(old_ready_is_refused),
		cmocka_unit_test(downgrade_is_refused),
		cmocka_unit_test(downgrade_can_be_allowed),
		cmocka_unit_test(key_that_is_wanted_is_told),
		cmocka_unit_test(empty_key_is_no_key),
		cmocka_unit_test(proof_is_hmac_sha256),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
