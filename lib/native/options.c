// SPDX-License-Identifier: LGPL-2.1-or-later
/* Options: what the user gave, with defaults filled in. */
#include <errno.h>

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "options.h"

#define DEFAULT_BACKLOG			16
#define DEFAULT_SOCKET_MODE		0600
#define DEFAULT_HANDSHAKE_TIMEOUT	10000
#define DEFAULT_COMMAND_TIMEOUT		15000
#define DEFAULT_SETTLE_TIME		1000

/*
 * A program that was built against an older library gives a shorter structure,
 * one built against a newer library a longer one, of which only zeros (its
 * defaults) can be understood here.
 */
static int copy_sized(struct kvmi_options *to, const struct kvmi_options *from)
{
	const uint8_t *bytes = (const uint8_t *)from;
	size_t i;

	if (from->size < sizeof(from->size))
		return -EINVAL;
	if (from->size > 4096)
		return -E2BIG;
	for (i = sizeof(*to); i < from->size; i++)
		if (bytes[i])
			return -E2BIG;

	memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
	return 0;
}

static int hash_key(struct options *opts, const struct kvmi_options *user)
{
	if (!user->key)
		return user->key_size ? -EINVAL : 0;
	if (!user->key_size)
		return -EINVAL;

	opts->has_key = true;
	if (proof_key(opts->mac_key, user->key, user->key_size))
		return -ENOTSUP;
	if (!opts->is_old_auth)
		return 0;
	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, user->key, user->key_size,
			     opts->hash))
		return -ENOTSUP;
	return 0;
}

static int or_default(int value, int preset)
{
	return value ? value : preset;
}

int options_read(struct options *opts, const struct kvmi_options *user)
{
	struct kvmi_options known;
	int err = 0;

	kvmi_options_init(&known);
	if (user)
		err = copy_sized(&known, user);
	if (err)
		return err;
	if (known.share_memory < 0 || known.share_memory > KVMI_SHARE_MUST)
		return -EINVAL;
	if (known.backlog < 0 || known.socket_mode > 0777)
		return -EINVAL;

	memset(opts, 0, sizeof(*opts));
	opts->log.fn = known.log;
	opts->log.data = known.log_data;
	opts->backlog = or_default(known.backlog, DEFAULT_BACKLOG);
	opts->socket_mode = known.socket_mode ? known.socket_mode :
						DEFAULT_SOCKET_MODE;
	opts->handshake_timeout = or_default(known.handshake_timeout,
					     DEFAULT_HANDSHAKE_TIMEOUT);
	opts->command_timeout = or_default(known.command_timeout,
					   DEFAULT_COMMAND_TIMEOUT);
	opts->settle_time = or_default(known.settle_time, DEFAULT_SETTLE_TIME);
	opts->is_old_auth = known.old_auth;
	opts->has_own_events = known.own_events;
	opts->share_memory = known.share_memory;
	opts->hello = known.hello;
	opts->hello_data = known.hello_data;
	return hash_key(opts, &known);
}

void options_wipe(struct options *opts)
{
	explicit_bzero(opts->mac_key, sizeof(opts->mac_key));
	explicit_bzero(opts->hash, sizeof(opts->hash));
}
