// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Settings: what is not in the old interface comes from the environment.
 *
 *	LIBKVMI_KEY_FILE	file with the secret that QEMU checks, each byte
 *				counts; for programs that give no hash. Unset:
 *				/etc/kvmi/libkvmi.key, if it is there. Empty:
 *				no key.
 *	LIBKVMI_OLD_AUTH	1: a device manager that offers no proof of the
 *				key is told its SHA-1, as the old library did
 *	LIBKVMI_SOCKET_MODE	mode of the UNIX socket, octal; 0777 is the old
 *				library's
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "say.h"
#include "setting.h"

#define KEY_FILE	"/etc/kvmi/libkvmi.key"
#define KEY_MAX		65536
#define SOCKET_MODE	0660

static int read_bytes(int fd, uint8_t *bytes, size_t *size)
{
	ssize_t n;

	*size = 0;
	do {
		n = read(fd, bytes + *size, KEY_MAX + 1 - *size);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			*size += (size_t)n;
	} while (n && *size <= KEY_MAX);

	if (*size > KEY_MAX)
		return -EFBIG;
	return *size ? 0 : -ENODATA;
}

static int read_key(const char *path, struct kvmi_options *opts)
{
	uint8_t *key = malloc(KEY_MAX + 1);
	int fd, err;

	if (!key)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : read_bytes(fd, key, &opts->key_size);
	if (fd >= 0)
		close(fd);
	if (err) {
		opts->key_size = 0;
		free(key);
		return err;
	}
	opts->key = key;
	return 0;
}

/* Without the key that was asked for a VM would be taken for a stranger's. */
static int set_key(struct kvmi_options *opts)
{
	const char *path = secure_getenv("LIBKVMI_KEY_FILE");
	bool is_default = !path;
	int err;

	if (is_default)
		path = KEY_FILE;
	if (!*path)
		return 0;
	err = read_key(path, opts);
	if (err == -ENOENT && is_default)
		return 0;
	if (err)
		say(KVMI_LOG_LEVEL_ERROR, "cannot read the key %s: %s", path,
		    strerrordesc_np(-err));
	return err;
}

static int set_mode(struct kvmi_options *opts)
{
	const char *text = secure_getenv("LIBKVMI_SOCKET_MODE");
	unsigned long mode;
	char *end;

	opts->socket_mode = SOCKET_MODE;
	if (!text || !*text)
		return 0;
	mode = strtoul(text, &end, 8);
	if (*end || !mode || mode > 0777) {
		say(KVMI_LOG_LEVEL_ERROR,
		    "LIBKVMI_SOCKET_MODE is '%s' and not a mode as 0660", text);
		return -EINVAL;
	}
	opts->socket_mode = (unsigned int)mode;
	return 0;
}

int setting_read(struct kvmi_options *opts)
{
	const char *text;
	int err;

	kvmi_options_init(opts);
	opts->log = say_native;
	text = secure_getenv("LIBKVMI_OLD_AUTH");
	opts->old_auth = text && !strcmp(text, "1");
	opts->share_memory = KVMI_SHARE_TRY;
	err = set_mode(opts);
	return err ? err : set_key(opts);
}

void setting_free(struct kvmi_options *opts)
{
	if (opts->key)
		explicit_bzero((void *)opts->key, opts->key_size);
	free((void *)opts->key);
}
