// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Errors that no command has: of options, of listeners, of device managers that
 * do not shake hands as they should, and of sessions that were garbled.
 */
#include <poll.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "rig.h"
#include "scarce.h"

#define PORT	47115

/* Options of a program that knows more than this library, and uses it. */
static const struct kvmi_options *newer_options(void)
{
	static struct {
		struct kvmi_options opts;
		int more;
	} newer = { .more = 1 };

	kvmi_options_init(&newer.opts);
	newer.opts.size = sizeof(newer);
	return &newer.opts;
}

static const struct kvmi_options *bad_options(void)
{
	static struct kvmi_options bad;

	kvmi_options_init(&bad);
	bad.backlog = -1;
	return &bad;
}

static int bound_socket(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void options_are_judged(void **state)
{
	char folder[] = "/tmp/kvmi-unit-XXXXXX";
	struct kvmi_listener *l;
	char path[64], other[64];
	struct kvmi_vm *vm;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a", folder);
	snprintf(other, sizeof(other), "%s/b", folder);
	fd = bound_socket(other);
	assert_err(-E2BIG, kvmi_listener_open_unix(&l, path, newer_options()));
	assert_err(-E2BIG, kvmi_listener_open_vsock(&l, PORT, newer_options()));
	assert_err(-E2BIG, kvmi_listener_open_fd(&l, fd, newer_options()));
	assert_err(-E2BIG, kvmi_vm_open_fd(&vm, fd, newer_options()));
	assert_err(-EINVAL, kvmi_listener_open_unix(&l, path, bad_options()));
	assert_err(-EINVAL, kvmi_listener_open_vsock(&l, PORT, bad_options()));
	assert_err(-EINVAL, kvmi_listener_open_fd(&l, fd, bad_options()));
	assert_err(-EINVAL, kvmi_vm_open_fd(&vm, fd, bad_options()));
	assert_err(-EADDRINUSE, kvmi_listener_open_unix(&l, other, NULL));
	close(fd);
	unlink(other);
	/* None of them has left anything. */
	assert_int_equal(rmdir(folder), 0);
}

static void vsock_that_is_taken(void **state)
{
	struct kvmi_listener *first, *second;
	int err;

	(void)state;
	scarce_vsock = true;
	assert_err(-EAFNOSUPPORT, kvmi_listener_open_vsock(&first, PORT, NULL));
	scarce_vsock = false;
	err = kvmi_listener_open_vsock(&first, PORT, NULL);
	if (err) {
		rig_excuse("kvmi_listener_open_vsock", -EADDRINUSE);
		skip();
	}
	assert_err(-EADDRINUSE, kvmi_listener_open_vsock(&second, PORT, NULL));
	kvmi_listener_close(first);
}

/* A device manager, and how it fails. */
struct manager {
	enum { LEAVES, GARBLES, IS_OLD, NEEDS_KEY, HAS_NO_KEY, IS_OTHER } fault;
	int fd;
	pthread_t thread;
};

static int say_hello(const struct manager *m)
{
	uint8_t nonce[32] = { 1 }, msg[KVMI_HANDSHAKE_MAX];
	struct kvmi_qemu2introspector hello;
	size_t size;

	if (m->fault != NEEDS_KEY) {
		peer_hello(&hello, "failing", 1);
		return script_send(m->fd, &hello, hello.struct_size);
	}
	size = peer_long_hello(msg, "failing", 1, KVMI_FEATURE_READY |
			       KVMI_FEATURE_HMAC);
	size = peer_append(msg, size, KVMI_RECORD_NONCE, nonce, sizeof(nonce));
	return script_send(m->fd, msg, size);
}

static void *fail_so(void *arg)
{
	struct kvmi_introspector2qemu answer;
	struct manager *m = arg;
	struct frame frame;

	if (say_hello(m) || script_receive(m->fd, &answer, sizeof(answer)))
		goto out;
	if (m->fault == LEAVES || script_command(m->fd, &frame))
		goto out;
	if (m->fault == GARBLES)
		frame.hdr.seq ^= 0x5555;
	script_version(m->fd, &frame, m->fault == IS_OTHER ? 2 : KVMI_VERSION);
out:
	close(m->fd);
	return NULL;
}

static void begin(struct manager *m, int fault, int fd)
{
	*m = (struct manager){ .fault = fault, .fd = fd };
	assert_int_equal(pthread_create(&m->thread, NULL, fail_so, m), 0);
}

static void manager_options(struct kvmi_options *opts, int fault)
{
	rig_options(opts);
	if (fault == HAS_NO_KEY) {
		opts->key = "k";
		opts->key_size = 1;
	}
	if (fault == IS_OLD)
		opts->share_memory = KVMI_SHARE_MUST;
}

static int try_open(int fault)
{
	struct kvmi_options opts;
	struct manager manager;
	struct kvmi_vm *vm;
	int fds[2], err;

	manager_options(&opts, fault);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	begin(&manager, fault, fds[1]);
	err = kvmi_vm_open_fd(&vm, fds[0], &opts);
	close(fds[0]);
	pthread_join(manager.thread, NULL);
	return err;
}

static int dial(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

static int try_accept(int fault)
{
	char path[] = "/tmp/kvmi-unit-XXXXXX";
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct manager manager;
	struct kvmi_vm *vm;
	int err;

	manager_options(&opts, fault);
	assert_non_null(mkdtemp(path));
	rmdir(path);
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	begin(&manager, fault, dial(path));
	err = kvmi_listener_accept(listener, NULL, 5000, &vm);
	kvmi_listener_close(listener);
	pthread_join(manager.thread, NULL);
	return err;
}

static void device_managers_that_fail(void **state)
{
	static const struct {
		int fault, err;
	} cases[] = {
		{ LEAVES, -ECONNREFUSED }, { GARBLES, -EPROTO },
		{ IS_OLD, -EOPNOTSUPP }, { NEEDS_KEY, -ENOKEY },
		{ HAS_NO_KEY, -EKEYREJECTED }, { IS_OTHER, -EOPNOTSUPP },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_err_of(kvmi_vm_open_fd, cases[i].err,
			      try_open(cases[i].fault));
		assert_err_of(kvmi_listener_accept, cases[i].err,
			      try_accept(cases[i].fault));
	}
}

static void peers_without_a_hello(void **state)
{
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	int fds[2];

	(void)state;
	rig_options(&opts);
	opts.handshake_timeout = 10;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_err(-ETIMEDOUT, kvmi_vm_open_fd(&vm, fds[0], &opts));
	close(fds[1]);
	assert_err(-ECONNRESET, kvmi_vm_open_fd(&vm, fds[0], &opts));
	close(fds[0]);
}

static void submissions(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	scarce_memory = true;
	assert_err(-ENOMEM, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0,
					   NULL));
	scarce_memory = false;
	rig_close(&rig);
}

static void areas(void **state)
{
	struct kvmi_memory_area area = { .size = 0 };
	struct rig rig;

	(void)state;
	rig_open(&rig, script_swallow, NULL);
	assert_err(-EINVAL, kvmi_vm_get_memory_area(rig.vm, 0, &area));
	area.size = sizeof(area);
	assert_err(-ENOENT, kvmi_vm_get_memory_area(rig.vm, 0, &area));
	rig_close(&rig);
}

static int garble_later(int fd, void *arg)
{
	struct frame frame;

	return script_command(fd, &frame) ? -EPIPE : script_garble(fd, arg);
}

/* What is submitted, pumped and taken in a session that was garbled. */
static void garbled_sessions(void **state)
{
	struct kvmi_event *event;
	struct kvmi_reply *reply;
	struct rig rig;

	(void)state;
	rig_open(&rig, garble_later, NULL);
	assert_err(0, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0, NULL));
	assert_err(0, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-EPROTO, kvmi_reply_get_error(reply, NULL));
	kvmi_reply_free(reply);
	assert_err(-EPROTO, kvmi_vm_next_reply(rig.vm, 5000, &reply));
	assert_err(-EPROTO, kvmi_vm_next_event(rig.vm, 5000, &event));
	assert_err(-EPROTO, kvmi_vm_pump(rig.vm));
	assert_err(-EPROTO, kvmi_vm_submit(rig.vm, KVMI_VM_GET_INFO, NULL, 0,
					   NULL));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_judged),
		cmocka_unit_test(vsock_that_is_taken),
		cmocka_unit_test(device_managers_that_fail),
		cmocka_unit_test(peers_without_a_hello),
		cmocka_unit_test(submissions),
		cmocka_unit_test(areas),
		cmocka_unit_test(garbled_sessions),
	};

	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
