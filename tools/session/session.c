// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM that this command is about: listen, and wait until it connects. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kept.h"
#include "session.h"

#define KEY_MAX		65536
#define VSOCK_PREFIX	"vsock:"
#define SLICE_MS	200
#define HINT_MS		3000
#define LONG_MS		1000	/* of waiting, worth a word */

static void log_line(void *data, enum kvmi_log_level level, const char *text)
{
	const struct common *common = data;

	if (common->is_verbose)
		fprintf(stderr, "kvmi: %s%s\n",
			level == KVMI_LOG_DEBUG ? "debug: " : "", text);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int open_vsock(struct kvmi_listener **listener, const char *port,
		      const struct kvmi_options *opts)
{
	uint64_t number;

	if (parse_number(port, &number) || number > UINT_MAX)
		return -EINVAL;
	return kvmi_listener_open_vsock(listener, (unsigned int)number, opts);
}

static int open_unix(struct kvmi_listener **listener, const char *path,
		     const struct kvmi_options *opts)
{
	/* The default directory is below /run, which is empty after a boot. */
	if (!strcmp(path, DEFAULT_SOCKET))
		mkdir("/run/kvmi", 0755);
	return kvmi_listener_open_unix(listener, path, opts);
}

static void complain_socket(int err, const char *socket)
{
	const char *cure = "try another --socket";

	if (err == -ENOENT)
		cure = "create its directory";
	else if (err == -EACCES || err == -EPERM)
		cure = "run as a user who may write in its directory";
	else if (err == -EADDRINUSE)
		cure = "end the other program, or listen elsewhere with --socket";
	complain(err, "cannot listen on %s; %s", socket, cure);
}

int session_listen(struct session *session, const struct common *common,
		   const char *socket)
{
	const size_t prefix = strlen(VSOCK_PREFIX);
	struct kvmi_options opts;
	uint8_t *key = NULL;
	int err = 0;

	kvmi_options_init(&opts);
	opts.log = log_line;
	opts.log_data = (void *)common;
	opts.socket_mode = common->socket_mode;
	opts.old_auth = common->is_old_auth;
	opts.share_memory = common->shares_memory ? KVMI_SHARE_MUST :
						    KVMI_SHARE_NO;
	if (common->key_file)
		err = read_file(common->key_file, KEY_MAX, &key, &opts.key_size);
	if (!err && common->key_file && !opts.key_size)
		err = -ENODATA;
	if (err) {
		complain(err, "cannot read the key %s", common->key_file);
		return err;
	}
	opts.key = key;

	if (!strncmp(socket, VSOCK_PREFIX, prefix))
		err = open_vsock(&session->listener, socket + prefix, &opts);
	else
		err = open_unix(&session->listener, socket, &opts);
	if (err)
		complain_socket(err, socket);
	free(key);
	return err;
}

static void list_others(const struct session *session)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	char uuid[KVMI_UUID_TEXT_SIZE], name[KVMI_NAME_SIZE];
	unsigned int i;

	for (i = 0; !kvmi_listener_get_parked(session->listener, i, &id); i++) {
		kvmi_uuid_format(id.uuid, uuid);
		printable(name, sizeof(name), id.name, strlen(id.name));
		fprintf(stderr, "kvmi: there is %s (%s)\n", uuid, name);
	}
}

static void complain_no_vm(const struct session *session,
			   const struct common *common)
{
	complain(0, "%s%s did not connect to %s within %d s",
		 common->vm ? "VM " : "a VM", common->vm ? common->vm : "",
		 common->socket, common->timeout);
	list_others(session);
	fputs("kvmi: is QEMU running with -object introspection, and has its chardev this path\n"
	      "kvmi: and reconnect=? A VM that is stopped, or being saved or migrated, does not\n"
	      "kvmi: connect before it runs. 'kvmi doctor' checks this machine; --timeout waits\n"
	      "kvmi: longer\n", stderr);
}

/* A refusal may pass, as when KVM is not done with the session before. */
static bool may_pass(int err)
{
	return err == -ECONNREFUSED || err == -EPROTO || err == -ETIMEDOUT ||
	       err == -EKEYREJECTED || err == -ENOKEY;
}

static const char *cure(int err)
{
	switch (err) {
	case -ENOKEY:
		return "; name its secret with --key-file";
	case -EKEYREJECTED:
		return "; give QEMU the same key, or know what --old-auth means";
	default:
		return "";
	}
}

static bool is_watched(const struct common *common)
{
	return common->is_verbose || isatty(STDERR_FILENO);
}

/* Once, to a person who sits and waits. */
static void give_hint(const struct common *common, int64_t waited, bool *given)
{
	if (*given || waited < HINT_MS || !isatty(STDERR_FILENO))
		return;
	*given = true;
	fprintf(stderr, "kvmi: nothing came in %d s; a VM that is stopped does not connect before it runs\n"
		"kvmi: ('cont', 'virsh resume'). Waiting for %d s in all\n",
		HINT_MS / 1000, common->timeout);
}

/* QEMU tries at times of its own: half its period on the average. */
static void tell_wait(const struct common *common, int64_t ms)
{
	if (!is_watched(common))
		return;
	fprintf(stderr, "kvmi: waited %.1f s for the VM to connect\n",
		(double)ms / 1000);
	if (ms > LONG_MS)
		fputs("kvmi: if it was running, its chardev tries no more often: reconnect-ms=500 there\n"
		      "kvmi: makes it half a second at most; 'kvmi shell' waits once\n",
		      stderr);
}

static int fail(const struct session *session, const struct common *common,
		int err)
{
	if (is_stopped)
		complain(0, "interrupted before the VM came");
	else if (err == -ETIMEDOUT || err == -EAGAIN)
		complain_no_vm(session, common);
	else if (err == -EOPNOTSUPP && common->shares_memory)
		complain(0, "QEMU does not share the VM's memory: give its introspection object share-memory=on");
	else
		complain(err, "no session with the VM");
	return EXIT_NO_VM;
}

/* A short while at a time: a shell outlives the signal that ends this. */
static int accept_until(struct session *session, const struct common *common,
			int64_t end)
{
	int64_t begin = now_ms(), left;
	bool is_hinted = false;
	int err;

	do {
		left = end - now_ms();
		left = left < 0 ? 0 : left < SLICE_MS ? left : SLICE_MS;
		err = kvmi_listener_accept(session->listener, common->vm,
					   (int)left, &session->vm);
		give_hint(common, now_ms() - begin, &is_hinted);
	} while ((err == -ETIMEDOUT || err == -EAGAIN) && end > now_ms() &&
		 !is_stopped);
	return err;
}

int session_wait(struct session *session, const struct common *common)
{
	int64_t begin = now_ms(), end = begin + common->timeout * 1000LL;
	bool is_patient;
	int err;

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "kvmi: waiting for %s on %s\n",
			common->vm ? common->vm : "a VM", common->socket);
	do {
		err = accept_until(session, common, end);
		is_patient = may_pass(err) && end > now_ms() && !is_stopped;
		if (is_patient)
			complain(err, "no session%s; waiting for the VM to connect again",
				 cure(err));
	} while (is_patient);
	if (err)
		return fail(session, common, err);
	tell_wait(common, now_ms() - begin);
	return EXIT_DONE;
}

int session_connect(struct session *session, const struct common *common)
{
	int status;

	*session = (struct session){ 0 };
	if (session_listen(session, common, common->socket))
		return EXIT_FAILED;

	status = session_wait(session, common);
	if (status)
		session_disconnect(session);
	return status;
}

void session_disconnect(struct session *session)
{
	kvmi_vm_close(session->vm);
	kvmi_listener_close(session->listener);
	*session = (struct session){ 0 };
}

int session_open(struct session *session, const struct common *common)
{
	if (kept_is_on())
		return kept_open(session, common);
	return session_connect(session, common);
}

void session_close(struct session *session)
{
	if (kept_is_on())
		kept_close();
	else
		session_disconnect(session);
}
