/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake: what is said before KVM takes the socket. */
#ifndef KVMI_NATIVE_HANDSHAKE_H
#define KVMI_NATIVE_HANDSHAKE_H

#include <sys/types.h>

#include <kvmi/handshake.h>
#include <kvmi/kvmi.h>

#include "options.h"
#include "tail.h"

/* A hello on its way in. All zeros is the beginning. */
struct hello {
	size_t got;		/* bytes so far */
	union {
		struct kvmi_qemu2introspector msg;
		uint8_t bytes[KVMI_HANDSHAKE_MAX];
	};
	struct tail tail;	/* when it is complete */
};

/* How many bytes to feed next, 0 when the hello is complete. */
size_t hello_wants(const struct hello *hello);
/* Takes at most that many. Returns -EPROTO for an impossible size or tail. */
int hello_feed(struct hello *hello, const void *bytes, size_t size);
/*
 * Feeds what the socket has, without waiting. Returns 1 when the hello is
 * complete, 0 if more must come, -ECONNRESET, -EPROTO.
 */
int hello_receive(struct hello *hello, int fd);
/* The same with waiting. Returns 0, -ETIMEDOUT and these. */
int hello_receive_until(struct hello *hello, int fd, int64_t deadline);
/* Errors: -EINVAL: id->size. */
int hello_identity(const struct hello *hello, struct kvmi_identity *id);
/* Errors: -ENOENT: there are not so many; -EINVAL: area->size. */
int hello_area(const struct hello *hello, unsigned int index,
	       struct kvmi_memory_area *area);
/* Whether @wanted, a UUID or a name or NULL for any, means this VM. */
bool hello_is_of(const struct hello *hello, const char *wanted);

/* What was answered to a hello. */
struct hello_answer {
	uint32_t features;	/* KVMI_FEATURE_ that were chosen */
	size_t size;
	uint8_t bytes[128];
};

/*
 * Makes an answer. Errors: -ENOKEY: a key is wanted and there is none;
 * -EKEYREJECTED: there is one, and no proof of it is offered; -EOPNOTSUPP: the
 * memory is wanted and not offered; -ENOTSUP.
 */
int answer_make(struct hello_answer *answer, const struct hello *hello,
		const struct options *opts);
/* Errors: -ECONNREFUSED: the device manager has gone. */
int answer_send(const struct hello_answer *answer, int fd);

#endif
