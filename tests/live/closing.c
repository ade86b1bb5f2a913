// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule that ends a session: the tool sees the end, the device manager
 * sees a hang-up on its own copy of the socket, and HOOK works again. What is
 * only an error leaves the session open; the other tests show that.
 */
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void half_close(struct peer *peer)
{
	must(shutdown(peer->fd, SHUT_WR));
}

static void peer_eof(struct vmm *vm, struct peer *peer)
{
	(void)vm;
	half_close(peer);
}

static void short_header(struct vmm *vm, struct peer *peer)
{
	(void)vm;
	peer_write(peer, "\2\0\0", 3);
	half_close(peer);
}

static void short_body(struct vmm *vm, struct peer *peer)
{
	struct kvmi_msg_hdr hdr = { .id = KVMI_VM_CHECK_COMMAND, .size = 8 };

	(void)vm;
	peer_write(peer, &hdr, sizeof(hdr));
	peer_write(peer, "\2\0\0\0", 4);
	half_close(peer);
}

static void oversize(struct vmm *vm, struct peer *peer)
{
	struct kvmi_msg_hdr hdr = {
		.id = KVMI_GET_VERSION,
		.size = KVMI_MAX_MSG_SIZE + 1,
	};

	(void)vm;
	peer_write(peer, &hdr, sizeof(hdr));
}

static void most_oversize(struct vmm *vm, struct peer *peer)
{
	struct kvmi_msg_hdr hdr = { .id = 0xffff, .size = 0xffff };

	(void)vm;
	peer_write(peer, &hdr, sizeof(hdr));
}

static void send_failure(struct vmm *vm, struct peer *peer)
{
	(void)vm;
	must(shutdown(peer->fd, SHUT_RD));
	peer_send(peer, KVMI_GET_VERSION, NULL, 0);
}

static void write_physical_cut(struct vmm *vm, struct peer *peer)
{
	struct {
		struct kvmi_vm_write_physical head;
		uint8_t data[16];
	} body = { .head = { .gpa = 0x1000, .size = 16 } };

	memset(body.data, 0xff, sizeof(body.data));
	peer_send(peer, KVMI_VM_WRITE_PHYSICAL, &body, sizeof(body) - 1);
	peer_expect_closed(peer);
	/* Not one byte of it was written. */
	expect(0, *(uint8_t *)vmm_host(vm, 0x1000));
}

/* Cut inside the fixed part: size is known, data is not there. */
static void write_physical_headless(struct vmm *vm, struct peer *peer)
{
	struct kvmi_vm_write_physical head = { .gpa = 0x1000, .size = 1 };

	(void)vm;
	peer_send(peer, KVMI_VM_WRITE_PHYSICAL, &head, 10);
}

static void set_page_access_cut(struct vmm *vm, struct peer *peer)
{
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entries[2];
	} body = { .head = { .count = 2 } };

	(void)vm;
	peer_send(peer, KVMI_VM_SET_PAGE_ACCESS, &body, sizeof(body) - 1);
}

static void event_reply_unexpected(struct vmm *vm, struct peer *peer)
{
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
	} body = { 0 };

	vmm_vcpu_run(vm, 0, &guest_busy);
	peer_send(peer, KVMI_VCPU_EVENT, &body, sizeof(body));
}

static void by_unhook(struct vmm *vm, struct peer *peer)
{
	(void)peer;
	unhook(vm);
}

static const struct {
	const char *name;
	const char *cell;
	void (*provoke)(struct vmm *vm, struct peer *peer);
} rules[] = {
	{ "peer_eof", "peer_eof", peer_eof },
	{ "short_header", "short_header", short_header },
	{ "short_body", "short_body", short_body },
	{ "oversize", "oversize", oversize },
	{ "the most oversize", NULL, most_oversize },
	{ "send_failure", "send_failure", send_failure },
	{ "write_physical_cut", "write_physical_cut", write_physical_cut },
	{ "write_physical_headless", NULL, write_physical_headless },
	{ "set_page_access_cut", "set_page_access_cut", set_page_access_cut },
	{ "event_reply_unexpected", "event_reply_unexpected",
	  event_reply_unexpected },
	{ "unhook", "unhook", by_unhook },
};

static void expect_hangup(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	expect(1, poll(&p, 1, DEADLINE_MS));
	expect_true(p.revents & POLLHUP);
}

static void test_rule(int i)
{
	struct vmm *vm = vmm_create(NULL);
	struct peer peer;
	int own;

	note("%s", rules[i].name);
	hook_require(vm);
	own = peer_open(&peer);
	expect(0, __hook_fd(vm, own));
	hook_allow_all(vm);
	peer_expect_open(&peer);
	rules[i].provoke(vm, &peer);
	peer_expect_closed(&peer);
	expect_hangup(own);
	if (rules[i].cell)
		cell("closing:%s", rules[i].cell);
	hook_expect_usable(vm);
	close(own);
	peer_close(&peer);
	vmm_destroy(vm);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		test_rule(i);
	return 0;
}
