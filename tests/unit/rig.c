// SPDX-License-Identifier: GPL-2.0-or-later
/* The library on one end of a socket pair, a script in a thread on the other. */
#include "proved.h"
#include "rig.h"

static int begin_session(int fd)
{
	struct kvmi_qemu2introspector hello;
	struct frame frame;
	int err;

	peer_hello(&hello, "rig", 0x11);
	err = peer_handshake(fd, &hello, NULL);
	if (!err)
		err = script_command(fd, &frame);
	if (!err && frame.hdr.id != KVMI_GET_VERSION)
		err = -EBADMSG;
	return err ? err : script_version(fd, &frame, KVMI_VERSION);
}

static void *run_session(void *arg)
{
	struct rig *rig = arg;

	rig->result = begin_session(rig->fd);
	if (!rig->result)
		rig->result = rig->script(rig->fd, rig->arg);
	shutdown(rig->fd, SHUT_RDWR);
	return NULL;
}

static void *run_bare(void *arg)
{
	struct rig *rig = arg;

	rig->result = rig->script(rig->fd, rig->arg);
	shutdown(rig->fd, SHUT_RDWR);
	return NULL;
}

static int start(struct rig *rig, script_fn script, void *arg,
		 void *(*thread)(void *))
{
	int fds[2];

	*rig = (struct rig){ .script = script, .arg = arg };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
			 0);
	rig->fd = fds[1];
	assert_int_equal(pthread_create(&rig->thread, NULL, thread, rig), 0);
	return fds[0];
}

static void count_log(void *data, enum kvmi_log_level level, const char *text)
{
	struct rig *rig = data;

	(void)level;
	assert_non_null(text);
	__atomic_add_fetch(&rig->log_count, 1, __ATOMIC_RELAXED);
}

void rig_options(struct kvmi_options *opts)
{
	kvmi_options_init(opts);
	opts->handshake_timeout = 5000;
	opts->command_timeout = 5000;
	opts->settle_time = -1;
}

void rig_open_with(struct rig *rig, script_fn script, void *arg,
		   struct kvmi_options *opts)
{
	int fd = start(rig, script, arg, run_session);

	if (!opts->log) {
		opts->log = count_log;
		opts->log_data = rig;
	}
	assert_err(0, kvmi_vm_open_fd(&rig->vm, fd, opts));
}

void rig_open(struct rig *rig, script_fn script, void *arg)
{
	struct kvmi_options opts;

	rig_options(&opts);
	rig_open_with(rig, script, arg, &opts);
}

void rig_close(struct rig *rig)
{
	kvmi_vm_close(rig->vm);
	pthread_join(rig->thread, NULL);
	close(rig->fd);
	assert_err(0, rig->result);
}

int rig_start(struct rig *rig, script_fn script, void *arg)
{
	return start(rig, script, arg, run_bare);
}

void rig_stop(struct rig *rig, int fd)
{
	if (fd >= 0)
		close(fd);
	pthread_join(rig->thread, NULL);
	close(rig->fd);
}

void rig_assert_err(const char *call, long long expected, long long got,
		    const char *file, int line)
{
	_assert_int_equal(expected, got, file, line);
	if (expected < 0)
		proved_write("KVMI_PROVED", "", call, (int)expected);
}

void rig_excuse(const char *function, int err)
{
	proved_write("KVMI_PROVED", "excuse ", function, err);
}
