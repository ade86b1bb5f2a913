/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ready: the device manager's last word, before that of the kernel. */
#ifndef KVMI_NATIVE_READY_H
#define KVMI_NATIVE_READY_H

#include "handshake.h"

struct ready {
	size_t got;		/* bytes so far */
	unsigned int fd_count;
	int fds[KVMI_HANDSHAKE_FDS_MAX];
	union {
		struct kvmi_handshake_ready msg;
		uint8_t bytes[KVMI_HANDSHAKE_MAX];
	};
	struct tail tail;
};

/*
 * Receives the ready that follows an answer, exactly, and checks it. There can
 * be descriptors to close also on error. Errors:
 * -ETIMEDOUT, -EPROTO; -ECONNREFUSED: there is none, the device manager has
 * gone; -EKEYREJECTED: it did not prove that it has the key.
 */
int ready_receive(struct ready *ready, int fd, const struct hello *hello,
		  const struct hello_answer *answer, const struct options *opts,
		  int64_t deadline);
/* Closes what came with it. */
void ready_close_fds(struct ready *ready);

#endif
