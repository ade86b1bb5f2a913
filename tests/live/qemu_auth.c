// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU and the library with keys: the same key is a session; another key, none,
 * an old tool and a recorded answer are refused by QEMU, and a pretended QEMU
 * by the library. QEMU and its guest go on after each.
 *
 * lab: calm timeout=150
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <kvmi/handshake.h>
#include <kvmi/kvmi.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define KEY "a secret of the test"

static void set_key(struct kvmi_options *opts, const char *key)
{
	kvmi_options_init(opts);
	opts->key = key;
	opts->key_size = key ? strlen(key) : 0;
}

/* The session, or the error of the first that came. */
static int open_vm(struct qemu *qemu, const char *key, int old_auth,
		   struct kvmi_vm **vm)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	int err;

	set_key(&opts, key);
	opts.old_auth = old_auth;
	expect(0, kvmi_listener_open_unix(&listener, qemu->socket, &opts));
	err = kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS, vm);
	kvmi_listener_close(listener);
	return err;
}

/* A command that is allowed is allowed at once: QEMU was ready. */
static void expect_session(struct qemu *qemu, int old_auth)
{
	struct kvmi_vm_get_info_reply info;
	struct kvmi_vm *vm;

	expect(0, open_vm(qemu, KEY, old_auth, &vm));
	expect_true(kvmi_vm_is_authenticated(vm));
	expect(0, kvmi_vm_get_info(vm, &info));
	expect(2, info.vcpu_count);
	kvmi_vm_close(vm);
}

static void expect_refused(struct qemu *qemu, const char *key, int err,
			   const char *what)
{
	struct kvmi_vm *vm;

	note("%s", what);
	expect(err, open_vm(qemu, key, 0, &vm));
}

/* The SHA-1 hash of the key, as old tools send it. */
static void expect_old_tool_refused(struct qemu *qemu)
{
	static const uint8_t digest[20] = {
		0x46, 0x72, 0x25, 0xaf, 0x51, 0x3d, 0xf5, 0xfd, 0xc8, 0x0b,
		0xa8, 0xad, 0x31, 0x27, 0x56, 0xf1, 0x6c, 0xa6, 0x7c, 0xee,
	};
	struct tool tool;

	note("an old tool");
	tool_listen(&tool, qemu->socket);
	expect(0, __tool_accept(&tool, DEADLINE_MS));
	expect(0, __tool_answer(&tool, digest));
	peer_expect_closed(&tool.peer);
	tool_close(&tool);
	expect(1, file_count(qemu->errors, "old-auth=on"));
}

/* The library on one end of a pair, in a thread. */
struct relay {
	int fds[2];
	pthread_t thread;
	int err;
};

static void *run_library(void *arg)
{
	struct relay *relay = arg;
	struct kvmi_options opts;
	struct kvmi_vm *vm;

	set_key(&opts, KEY);
	relay->err = kvmi_vm_open_fd(&vm, relay->fds[0], &opts);
	close(relay->fds[0]);
	return NULL;
}

static size_t read_message(int fd, uint8_t *msg)
{
	uint32_t size;

	expect(4, recv(fd, msg, 4, MSG_WAITALL));
	memcpy(&size, msg, 4);
	expect_true(size > 4 && size <= KVMI_HANDSHAKE_MAX);
	expect(size - 4, recv(fd, msg + 4, size - 4, MSG_WAITALL));
	return size;
}

/* Gives the library this hello, and takes its answer; nothing more comes. */
static size_t ask_library(const uint8_t *hello, size_t size, uint8_t *answer)
{
	struct relay relay;

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, relay.fds));
	expect(0, pthread_create(&relay.thread, NULL, run_library, &relay));
	expect(size, send(relay.fds[1], hello, size, MSG_NOSIGNAL));
	size = read_message(relay.fds[1], answer);
	close(relay.fds[1]);
	pthread_join(relay.thread, NULL);
	expect(-ECONNREFUSED, relay.err);
	return size;
}

static int accept_qemu(struct tool *tool)
{
	peer_close(&tool->peer);
	tool->peer.fd = must(accept4(tool->fd, NULL, NULL, SOCK_CLOEXEC));
	return tool->peer.fd;
}

/* An answer that was right once is wrong for the next hello. */
static void test_replay(struct qemu *qemu)
{
	static uint8_t hello[KVMI_HANDSHAKE_MAX], answer[KVMI_HANDSHAKE_MAX];
	static uint8_t ready[KVMI_HANDSHAKE_MAX];
	size_t size, answered;
	struct tool tool;
	int fd;

	note("a recorded answer");
	tool_listen(&tool, qemu->socket);
	fd = accept_qemu(&tool);
	size = read_message(fd, hello);
	answered = ask_library(hello, size, answer);
	expect(answered, send(fd, answer, answered, MSG_NOSIGNAL));
	expect_true(read_message(fd, ready) > 8);

	fd = accept_qemu(&tool);
	read_message(fd, hello);
	expect(answered, send(fd, answer, answered, MSG_NOSIGNAL));
	peer_expect_closed(&tool.peer);
	tool_close(&tool);
}

/* Says what it saw somebody say, without a proof. */
static void *pretend(void *arg)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct qemu *qemu = arg;
	struct kvmi_qemu2introspector hello = {
		.struct_size = sizeof(hello), .name = "watched",
		.max_gpa = 256 << 20,
	};
	int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	char byte;

	kvmi_uuid_parse(QEMU_UUID, hello.uuid);
	strcpy(address.sun_path, qemu->socket);
	while (connect(fd, (void *)&address, sizeof(address)))
		sleep_ms(10);
	expect(sizeof(hello), send(fd, &hello, sizeof(hello), MSG_NOSIGNAL));
	/* No byte of an answer, which could tell about the key. */
	expect_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	return NULL;
}

static void test_impostor(void)
{
	struct kvmi_vm *vm;
	struct qemu qemu;
	pthread_t thread;

	note("a pretended QEMU");
	qemu_prepare(&qemu);
	expect(0, pthread_create(&thread, NULL, pretend, &qemu));
	expect(-EKEYREJECTED, open_vm(&qemu, KEY, 0, &vm));
	pthread_join(thread, NULL);
	qemu_kill(&qemu);
}

int main(void)
{
	struct qemu_options options = {
		.more = { "-object", "secret,id=k,data=" KEY },
		.object = ",key=k",
	};
	struct qemu qemu;

	test_impostor();
	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	expect_session(&qemu, 0);
	expect_refused(&qemu, "a secret of another", -ECONNREFUSED,
		       "another key");
	qemu_wait_errors(&qemu, "does not have the key", 1);
	expect_refused(&qemu, NULL, -ENOKEY, "no key");
	expect_old_tool_refused(&qemu);
	test_replay(&qemu);
	expect_session(&qemu, 1);
	qemu_wait_console(&qemu, "beacon: ", 1);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
