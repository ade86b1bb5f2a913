// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening: several VMs on one socket, strangers, files of sockets. */
#include <poll.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <linux/vm_sockets.h>

#include "rig.h"

static char directory[] = "/tmp/kvmi-unit-XXXXXX";
static char path[64];

static int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -errno;
	snprintf(path, sizeof(path), "%s/sock", directory);
	return 0;
}

static int remove_directory(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int dial(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	return fd;
}

struct vm_peer {
	pthread_t thread;
	int fd;
	const char *name;
	uint8_t uuid;
};

static void *be_vm(void *arg)
{
	static uint8_t bytes[4096];
	struct peer_memory memory = { .bytes = bytes, .size = sizeof(bytes) };
	struct kvmi_qemu2introspector hello;
	struct vm_peer *peer = arg;

	peer_hello(&hello, peer->name, peer->uuid);
	if (!peer_handshake(peer->fd, &hello, NULL))
		peer_serve(peer->fd, &memory);
	close(peer->fd);
	return NULL;
}

static void start_vm(struct vm_peer *peer, const char *name, uint8_t uuid)
{
	*peer = (struct vm_peer){ .fd = dial(), .name = name, .uuid = uuid };
	assert_int_equal(pthread_create(&peer->thread, NULL, be_vm, peer), 0);
}

static struct kvmi_listener *open_listener(void)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;

	rig_options(&opts);
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	return listener;
}

static void vms_are_told_apart(void **state)
{
	struct kvmi_listener *listener = open_listener();
	struct kvmi_vm *a, *b, *c, *none;
	struct vm_peer peers[3];
	struct pollfd pfd;
	int i;

	(void)state;
	pfd = (struct pollfd){ kvmi_listener_get_fd(listener), POLLIN, 0 };
	assert_err(-EAGAIN, kvmi_listener_accept(listener, NULL, 0, &none));
	start_vm(&peers[0], "a", 0xaa);
	start_vm(&peers[1], "b", 0xbb);
	start_vm(&peers[2], "c", 0xcc);
	assert_int_equal(poll(&pfd, 1, 5000), 1);

	assert_err(0, kvmi_listener_accept(listener,
					   "cccccccc-cccc-cccc-cccc-cccccccccccc",
					   5000, &c));
	assert_err(0, kvmi_listener_accept(listener, "b", 5000, &b));
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, "d", 20, &none));
	assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &a));
	assert_string_equal(kvmi_vm_get_name(a), "a");
	assert_string_equal(kvmi_vm_get_name(b), "b");
	assert_string_equal(kvmi_vm_get_name(c), "c");

	/* Sessions outlive the listener. */
	kvmi_listener_close(listener);
	assert_err(0, kvmi_vm_control_cleanup(a, true));
	kvmi_vm_close(a);
	assert_err(0, kvmi_vm_control_cleanup(b, true));
	kvmi_vm_close(b);
	kvmi_vm_close(c);
	for (i = 0; i < 3; i++)
		pthread_join(peers[i].thread, NULL);
}

static void parked_vms_are_listed(void **state)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_listener *listener = open_listener();
	struct kvmi_vm *none;
	struct vm_peer peer;

	(void)state;
	assert_err(-ENOENT, kvmi_listener_get_parked(listener, 0, &id));
	start_vm(&peer, "parked", 0x77);
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, "x", 100, &none));
	assert_err(0, kvmi_listener_get_parked(listener, 0, &id));
	assert_string_equal(id.name, "parked");
	assert_err(-ENOENT, kvmi_listener_get_parked(listener, 1, &id));
	id.size = 0;
	assert_err(-EINVAL, kvmi_listener_get_parked(listener, 0, &id));
	kvmi_listener_close(listener);
	pthread_join(peer.thread, NULL);
}

static void parked_vm_that_leaves_is_forgotten(void **state)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_listener *listener = open_listener();
	struct kvmi_qemu2introspector hello;
	struct kvmi_vm *none;
	int fd = dial();

	(void)state;
	peer_hello(&hello, "shy", 1);
	script_send(fd, &hello, sizeof(hello));
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, "x", 20, &none));
	assert_err(0, kvmi_listener_get_parked(listener, 0, &id));
	close(fd);
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, "x", 20, &none));
	assert_err(-ENOENT, kvmi_listener_get_parked(listener, 0, &id));
	kvmi_listener_close(listener);
}

static void strangers_hinder_nobody(void **state)
{
	static const uint32_t lie = 7;
	struct kvmi_listener *listener = open_listener();
	int silent = dial(), liar = dial(), slow = dial();
	struct vm_peer peer;
	struct kvmi_vm *vm;
	uint8_t byte;

	(void)state;
	script_send(liar, &lie, sizeof(lie));
	script_send(slow, &lie, 1);
	close(dial());
	start_vm(&peer, "good", 1);
	assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &vm));
	/* The liar was cut off. */
	assert_int_equal(recv(liar, &byte, 1, 0), 0);
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	pthread_join(peer.thread, NULL);
	close(silent);
	close(liar);
	close(slow);
}

static void silent_stranger_is_dropped(void **state)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *none;
	uint8_t byte;
	int fd;

	(void)state;
	rig_options(&opts);
	opts.handshake_timeout = 20;
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	fd = dial();
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, NULL, 80, &none));
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
	kvmi_listener_close(listener);
}

static void crowd_is_turned_away(void **state)
{
	struct kvmi_listener *listener = open_listener();
	struct kvmi_vm *none;
	int fds[300], i, closed = 0;
	uint8_t byte;

	(void)state;
	for (i = 0; i < 300; i++) {
		fds[i] = dial();
		kvmi_listener_accept(listener, NULL, 0, &none);
	}
	for (i = 0; i < 300; i++) {
		closed += recv(fds[i], &byte, 1, MSG_DONTWAIT) == 0;
		close(fds[i]);
	}
	assert_int_equal(closed, 300 - 256);
	kvmi_listener_close(listener);
}

static void socket_file_has_the_mode(void **state)
{
	struct kvmi_listener *listener, *second;
	struct kvmi_options opts;
	struct stat st;

	(void)state;
	rig_options(&opts);
	opts.socket_mode = 0660;
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_err(-EADDRINUSE, kvmi_listener_open_unix(&second, path, NULL));
	kvmi_listener_close(listener);
	assert_int_equal(stat(path, &st), -1);
	kvmi_listener_close(NULL);
}

static void dead_socket_is_replaced(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	kvmi_listener_close(open_listener());
}

static void file_of_others_stays(void **state)
{
	struct kvmi_listener *listener;
	struct stat st;
	FILE *file;

	(void)state;
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_err(-EADDRINUSE, kvmi_listener_open_unix(&listener, path, NULL));
	assert_int_equal(stat(path, &st), 0);
	unlink(path);

	listener = open_listener();
	unlink(path);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	kvmi_listener_close(listener);
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
}

static void bad_addresses_are_told(void **state)
{
	struct kvmi_listener *listener;
	char longest[200];
	int fds[2];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_err(-ENAMETOOLONG,
		   kvmi_listener_open_unix(&listener, longest, NULL));
	assert_err(-EINVAL, kvmi_listener_open_unix(&listener, "", NULL));
	assert_err(-ENOENT, kvmi_listener_open_unix(&listener,
						    "/nonexistent/x", NULL));
	assert_err(-EBADF, kvmi_listener_open_fd(&listener, -1, NULL));
	assert_err(-ENOTSOCK, kvmi_listener_open_fd(&listener, 0, NULL));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_err(-EINVAL, kvmi_listener_open_fd(&listener, fds[0], NULL));
	close(fds[0]);
	close(fds[1]);
}

static void socket_of_somebody_else(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct kvmi_listener *listener;
	struct vm_peer peer;
	struct kvmi_vm *vm;

	(void)state;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_err(0, kvmi_listener_open_fd(&listener, fd, NULL));
	start_vm(&peer, "given", 1);
	assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &vm));
	kvmi_vm_close(vm);
	kvmi_vm_close(NULL);
	pthread_join(peer.thread, NULL);
	kvmi_listener_close(listener);
	unlink(path);
}

/* A device manager that does one step at a time, in the thread of the tool. */
struct steps {
	int fd;
	struct kvmi_qemu2introspector hello;
	struct frame frame;
};

static void begin_steps(struct steps *s, const char *name, uint8_t uuid)
{
	s->fd = dial();
	peer_hello(&s->hello, name, uuid);
}

static void say_hello(struct steps *s, size_t from, size_t to)
{
	assert_err(0, script_send(s->fd, (uint8_t *)&s->hello + from, to - from));
}

static void take_question(struct steps *s)
{
	struct kvmi_introspector2qemu answer;

	assert_err(0, script_receive(s->fd, &answer, sizeof(answer)));
	assert_err(0, script_command(s->fd, &s->frame));
	assert_int_equal(s->frame.hdr.id, KVMI_GET_VERSION);
}

static bool is_readable(struct kvmi_listener *listener)
{
	struct pollfd pfd = { kvmi_listener_get_fd(listener), POLLIN, 0 };

	return poll(&pfd, 1, 0) == 1;
}

/* Whatever waits here waits for ever: nobody else does the next step. */
static void loop_accepts_step_by_step(void **state)
{
	struct kvmi_listener *listener = open_listener();
	struct kvmi_vm *vm, *none;
	struct steps a, b;

	(void)state;
	begin_steps(&a, "a", 1);
	say_hello(&a, 0, 50);
	assert_err(-EAGAIN, kvmi_listener_accept(listener, "a", 0, &none));
	assert_false(is_readable(listener));
	say_hello(&a, 50, sizeof(a.hello));
	assert_true(is_readable(listener));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, "a", 0, &none));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, "a", 0, &none));
	take_question(&a);

	/* Another one in the meantime. */
	begin_steps(&b, "b", 2);
	say_hello(&b, 0, sizeof(b.hello));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, "b", 0, &none));
	take_question(&b);
	assert_false(is_readable(listener));
	assert_err(0, script_version(a.fd, &a.frame, KVMI_VERSION));
	assert_true(is_readable(listener));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, "b", 0, &none));
	/* It is there, and the loop is told until it is taken. */
	assert_true(is_readable(listener));
	assert_err(0, kvmi_listener_accept(listener, "a", 0, &vm));
	assert_string_equal(kvmi_vm_get_name(vm), "a");
	kvmi_vm_close(vm);
	assert_false(is_readable(listener));

	/* The rest of a start can be waited for. */
	assert_err(0, script_version(b.fd, &b.frame, KVMI_VERSION));
	assert_err(0, kvmi_listener_accept(listener, NULL, 5000, &vm));
	assert_string_equal(kvmi_vm_get_name(vm), "b");
	kvmi_vm_close(vm);
	close(a.fd);
	close(b.fd);
	kvmi_listener_close(listener);
}

static void start_that_comes_to_nothing(void **state)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *none;
	struct steps s;

	(void)state;
	rig_options(&opts);
	opts.handshake_timeout = 50;
	assert_err(0, kvmi_listener_open_unix(&listener, path, &opts));
	begin_steps(&s, "leaves", 1);
	say_hello(&s, 0, sizeof(s.hello));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, NULL, 0, &none));
	close(s.fd);
	assert_true(is_readable(listener));
	assert_err(-ECONNREFUSED, kvmi_listener_accept(listener, NULL, 0, &none));

	begin_steps(&s, "silent", 1);
	say_hello(&s, 0, sizeof(s.hello));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, NULL, 0, &none));
	usleep(60000);
	assert_err(-ETIMEDOUT, kvmi_listener_accept(listener, NULL, 0, &none));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, NULL, 0, &none));
	close(s.fd);

	/* Nobody takes it. */
	begin_steps(&s, "left", 1);
	say_hello(&s, 0, sizeof(s.hello));
	assert_err(-EAGAIN, kvmi_listener_accept(listener, NULL, 0, &none));
	kvmi_listener_close(listener);
	close(s.fd);
}

static void vsock_listens(void **state)
{
	struct kvmi_listener *listener;
	int err;

	(void)state;
	err = kvmi_listener_open_vsock(&listener, VMADDR_PORT_ANY, NULL);
	if (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL || err == -ENODEV) {
		print_message("no vsock here: %s\n", kvmi_strerror(err));
		skip();
	}
	assert_err(0, err);
	kvmi_listener_close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vms_are_told_apart),
		cmocka_unit_test(parked_vms_are_listed),
		cmocka_unit_test(parked_vm_that_leaves_is_forgotten),
		cmocka_unit_test(strangers_hinder_nobody),
		cmocka_unit_test(silent_stranger_is_dropped),
		cmocka_unit_test(crowd_is_turned_away),
		cmocka_unit_test(socket_file_has_the_mode),
		cmocka_unit_test(dead_socket_is_replaced),
		cmocka_unit_test(file_of_others_stays),
		cmocka_unit_test(bad_addresses_are_told),
		cmocka_unit_test(socket_of_somebody_else),
		cmocka_unit_test(loop_accepts_step_by_step),
		cmocka_unit_test(start_that_comes_to_nothing),
		cmocka_unit_test(vsock_listens),
	};

	return cmocka_run_group_tests_name("listen", tests, make_directory,
					   remove_directory);
}
