/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: what the user gave, with defaults filled in. */
#ifndef KVMI_NATIVE_OPTIONS_H
#define KVMI_NATIVE_OPTIONS_H

#include <kvmi/handshake.h>

#include "log.h"

struct options {
	struct log log;
	uint8_t hash[KVMI_HANDSHAKE_HASH_SIZE];	/* of the key; zero: none */
	int backlog;
	unsigned int socket_mode;
	int handshake_timeout;
	int command_timeout;
	int settle_time;
};

/* Errors: -EINVAL, -E2BIG, and -ENOTSUP if this system refuses SHA-1. */
int options_read(struct options *opts, const struct kvmi_options *user);

#endif
