// SPDX-License-Identifier: GPL-2.0-only
/*
 * A raw introspection tool.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"
#include "tool.h"

#define SEARCH_PAGES	32

void tool_listen(struct tool *tool, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(tool, 0, sizeof(*tool));
	tool->peer.fd = -1;
	snprintf(tool->path, sizeof(tool->path), "%s", path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	unlink(path);
	tool->fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(bind(tool->fd, (void *)&address, sizeof(address)));
	must(listen(tool->fd, 16));
}

void tool_close(struct tool *tool)
{
	peer_close(&tool->peer);
	close(tool->fd);
	unlink(tool->path);
}

static int read_all(int fd, void *to, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char *at = to;
	ssize_t n;

	while (size) {
		if (poll(&p, 1, DEADLINE_MS) == 0)
			return -ETIMEDOUT;
		n = recv(fd, at, size, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		at += n;
		size -= n;
	}
	return 0;
}

/* As an old tool: what it does not know is dropped. */
static int read_hello(struct tool *tool)
{
	char rest[KVMI_HANDSHAKE_MAX];
	int r;

	r = read_all(tool->peer.fd, &tool->hello, sizeof(tool->hello));
	if (r)
		return r;
	expect_true(tool->hello.struct_size >= sizeof(tool->hello) &&
		    tool->hello.struct_size <= sizeof(rest));
	return read_all(tool->peer.fd, rest,
			tool->hello.struct_size - sizeof(tool->hello));
}

int __tool_accept(struct tool *tool, unsigned int ms)
{
	struct pollfd p = { .fd = tool->fd, .events = POLLIN };

	peer_close(&tool->peer);
	tool->peer.seq = 0;
	if (poll(&p, 1, ms) == 0)
		return -ETIMEDOUT;
	tool->peer.fd = must(accept4(tool->fd, NULL, NULL, SOCK_CLOEXEC));
	return read_hello(tool);
}

int __tool_answer(struct tool *tool, const uint8_t *hash)
{
	struct kvmi_introspector2qemu answer = {
		.struct_size = sizeof(answer),
	};

	if (hash)
		memcpy(answer.cookie_hash, hash, sizeof(answer.cookie_hash));
	return __peer_write(&tool->peer, &answer, sizeof(answer));
}

void tool_answer(struct tool *tool, const uint8_t *hash)
{
	expect(0, __tool_answer(tool, hash));
}

/*
 * The kernel answers at once, but QEMU allows commands one by one after it has
 * hooked. 0 or what ended the attempt.
 */
static int wait_until_allowed(struct peer *peer)
{
	struct kvmi_vm_check_command check = { .id = KVMI_VM_GET_MAX_GFN };
	uint64_t end = now_ms() + DEADLINE_MS;
	struct peer_message reply;
	int r;

	do {
		struct kvmi_msg_hdr hdr = { KVMI_VM_CHECK_COMMAND,
					    sizeof(check), ++peer->seq };

		r = __peer_write(peer, &hdr, sizeof(hdr));
		if (!r)
			r = __peer_write(peer, &check, sizeof(check));
		if (!r)
			r = __peer_receive(peer, &reply);
		if (r)
			return r;
		r = ((struct kvmi_error_code *)reply.body)->err;
		if (r == -KVM_EPERM)
			sleep_ms(1);
	} while (r == -KVM_EPERM && now_ms() < end);
	return r;
}

void tool_session(struct tool *tool)
{
	expect(0, __tool_accept(tool, DEADLINE_MS));
	tool_answer(tool, NULL);
	expect(0, wait_until_allowed(&tool->peer));
}

void tool_session_again(struct tool *tool)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	int r;

	do {
		r = __tool_accept(tool, DEADLINE_MS);
		if (!r)
			r = __tool_answer(tool, NULL);
		if (!r)
			r = wait_until_allowed(&tool->peer);
	} while (r && now_ms() < end);
	expect(0, r);
}

/* Asks for some pages at once: each wait for a thread is long. */
static void ask(struct peer *peer, uint64_t gfn)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vm_read_physical read;
	} commands[SEARCH_PAGES];
	int i;

	for (i = 0; i < SEARCH_PAGES; i++) {
		commands[i].hdr = (struct kvmi_msg_hdr){
			KVMI_VM_READ_PHYSICAL, sizeof(commands[i].read),
			++peer->seq,
		};
		commands[i].read = (struct kvmi_vm_read_physical){
			.gpa = (gfn + i) << 12, .size = 4096,
		};
	}
	peer_write(peer, commands, sizeof(commands));
}

uint64_t tool_search(struct tool *tool, uint64_t gpa, const char *text)
{
	struct kvmi_vm_get_max_gfn_reply max;
	struct peer_message reply;
	uint64_t gfn, found = 0;
	uint8_t *at;
	int i;

	peer_command(&tool->peer, KVMI_VM_GET_MAX_GFN, NULL, 0, &max,
		     sizeof(max));
	for (gfn = gpa >> 12; gfn < max.gfn && !found; gfn += SEARCH_PAGES) {
		ask(&tool->peer, gfn);
		for (i = 0; i < SEARCH_PAGES; i++) {
			peer_reply(&tool->peer, KVMI_VM_READ_PHYSICAL,
				   tool->peer.seq - SEARCH_PAGES + 1 + i,
				   &reply);
			at = memmem(reply.body, reply.hdr.size, text,
				    strlen(text));
			if (at && !found)
				found = ((gfn + i) << 12) + (at - reply.body) -
					sizeof(struct kvmi_error_code);
		}
	}
	if (!found)
		fail("not in guest memory: %s", text);
	return found;
}
