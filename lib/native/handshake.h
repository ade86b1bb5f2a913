/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The handshake: what is said before KVM takes the socket. */
#ifndef KVMI_NATIVE_HANDSHAKE_H
#define KVMI_NATIVE_HANDSHAKE_H

#include <sys/types.h>

#include <kvmi/handshake.h>
#include <kvmi/kvmi.h>

#include "options.h"

/* A hello on its way in. All zeros is the beginning. */
struct hello {
	size_t got;		/* bytes so far, known and unknown ones */
	union {
		struct kvmi_qemu2introspector msg;
		uint8_t bytes[sizeof(struct kvmi_qemu2introspector)];
	};
};

/* How many bytes to feed next, 0 when the hello is complete. */
size_t hello_wants(const struct hello *hello);
/* Takes at most that many. Returns -EPROTO for an impossible size. */
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
/* Whether @wanted, a UUID or a name or NULL for any, means this VM. */
bool hello_is_of(const struct hello *hello, const char *wanted);

/* Errors: -ECONNREFUSED: the device manager has gone. */
int handshake_answer(int fd, const struct options *opts);

#endif
