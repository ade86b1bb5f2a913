/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options: what the user gave, with defaults filled in. */
#ifndef KVMI_NATIVE_OPTIONS_H
#define KVMI_NATIVE_OPTIONS_H

#include <kvmi/handshake.h>

#include "log.h"
#include "proof.h"

struct options {
	struct log log;
	bool has_key;
	bool is_old_auth;
	bool has_own_events;
	int share_memory;	/* enum kvmi_share */
	uint8_t mac_key[PROOF_KEY_SIZE];
	uint8_t hash[KVMI_HANDSHAKE_HASH_SIZE];	/* zero without old_auth */
	int backlog;
	unsigned int socket_mode;
	int handshake_timeout;
	int command_timeout;
	int settle_time;
	kvmi_hello_fn hello;
	void *hello_data;
};

/* Errors: -EINVAL, -E2BIG, and -ENOTSUP if this system refuses a hash. */
int options_read(struct options *opts, const struct kvmi_options *user);
/* Forgets the key. */
void options_wipe(struct options *opts);

#endif
