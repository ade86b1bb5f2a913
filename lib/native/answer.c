// SPDX-License-Identifier: LGPL-2.1-or-later
/* The answer to a hello: what is chosen of it, and the proof of the key. */
#include <errno.h>
#include <sys/socket.h>

#include "handshake.h"
#include "proof.h"

/*
 * What is like the key itself goes to nobody who could prove that he has it,
 * and to nobody else but by the user's will.
 */
static int choose(uint32_t *chosen, const struct hello *hello,
		  const struct options *opts)
{
	const uint32_t offered = hello->tail.features;

	*chosen = offered & KVMI_FEATURE_READY;
	if (*chosen && opts->share_memory)
		*chosen |= offered & KVMI_FEATURE_MEMORY;
	if (opts->share_memory == KVMI_SHARE_MUST &&
	    !(*chosen & KVMI_FEATURE_MEMORY))
		return -EOPNOTSUPP;
	if (!opts->has_key)
		return offered & KVMI_FEATURE_HMAC ? -ENOKEY : 0;

	if (*chosen && (offered & KVMI_FEATURE_HMAC) && hello->tail.nonce)
		*chosen |= KVMI_FEATURE_HMAC;
	else if (!opts->is_old_auth)
		return -EKEYREJECTED;
	return 0;
}

static void append(struct hello_answer *answer, uint16_t type, const void *content,
		   size_t size)
{
	answer->size = tail_append(answer->bytes, answer->size, type, content,
				   size);
}

static int append_proof(struct hello_answer *answer, const struct hello *hello,
			const struct options *opts)
{
	uint8_t nonce[KVMI_HANDSHAKE_NONCE_SIZE];
	uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE] = { 0 };
	struct iovec said[] = {
		{ (void *)hello->bytes, hello->got },
		{ answer->bytes, 0 },
	};
	uint32_t size;
	int err;

	err = proof_nonce(nonce);
	if (err)
		return err;
	append(answer, KVMI_RECORD_NONCE, nonce, sizeof(nonce));
	append(answer, KVMI_RECORD_PROOF, proof, sizeof(proof));

	/* The size is among what is proved. */
	size = (uint32_t)answer->size;
	memcpy(answer->bytes, &size, sizeof(size));
	said[1].iov_len = answer->size - sizeof(proof);
	return proof_make(opts->mac_key, KVMI_HANDSHAKE_LABEL_TOOL, said, 2,
			  answer->bytes + said[1].iov_len);
}

int answer_make(struct hello_answer *answer, const struct hello *hello,
		const struct options *opts)
{
	struct kvmi_introspector2qemu head = { .struct_size = sizeof(head) };
	struct kvmi_handshake_features features = { 0 };
	int err;

	err = choose(&answer->features, hello, opts);
	if (err)
		return err;
	if (!(answer->features & KVMI_FEATURE_HMAC))
		memcpy(head.cookie_hash, opts->hash, sizeof(head.cookie_hash));
	answer->size = sizeof(head);
	memcpy(answer->bytes, &head, sizeof(head));
	if (!answer->features)
		return 0;

	features.features = answer->features;
	append(answer, KVMI_RECORD_FEATURES, &features, sizeof(features));
	head.struct_size = (uint32_t)answer->size;
	memcpy(answer->bytes, &head.struct_size, sizeof(head.struct_size));
	if (answer->features & KVMI_FEATURE_HMAC)
		err = append_proof(answer, hello, opts);
	return err;
}

int answer_send(const struct hello_answer *answer, int fd)
{
	ssize_t n;

	do {
		n = send(fd, answer->bytes, answer->size, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);

	return n == (ssize_t)answer->size ? 0 : -ECONNREFUSED;
}
