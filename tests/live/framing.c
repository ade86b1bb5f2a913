// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the bytes of a message arrive does not matter: one by one, many messages
 * in one write, no body, the largest body, any seq.
 */
#include <string.h>
#include <sys/socket.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define GLUED	64

static void test_bytewise(struct peer *peer)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vm_read_physical read;
	} message = {
		{ KVMI_VM_READ_PHYSICAL, sizeof(message.read), 77 },
		{ .gpa = 0x2000, .size = 8 },
	};
	struct peer_message reply;
	size_t i;

	for (i = 0; i < sizeof(message); i++) {
		peer_write(peer, (char *)&message + i, 1);
		sleep_ms(1);
	}
	expect(0, peer_reply(peer, KVMI_VM_READ_PHYSICAL, 77, &reply));
	expect(8 + 8, reply.hdr.size);
}

static void test_glued(struct peer *peer)
{
	struct kvmi_msg_hdr glued[GLUED];
	struct peer_message reply;
	int i;

	for (i = 0; i < GLUED; i++)
		glued[i] = (struct kvmi_msg_hdr){
			i % 2 ? KVMI_GET_VERSION : KVMI_VM_GET_MAX_GFN, 0,
			1000 - i,
		};
	peer_write(peer, glued, sizeof(glued));
	/* The receiving thread answers in order. */
	for (i = 0; i < GLUED; i++)
		expect(0, peer_reply(peer, glued[i].id, glued[i].seq, &reply));
}

static void test_sizes(struct peer *peer)
{
	uint8_t largest[KVMI_MAX_MSG_SIZE];
	struct kvmi_get_version_reply version;

	memset(largest, 0xff, sizeof(largest));
	peer_command(peer, KVMI_GET_VERSION, NULL, 0, &version,
		     sizeof(version));
	peer_command(peer, KVMI_GET_VERSION, largest, sizeof(largest),
		     &version, sizeof(version));
	peer_expect_error(peer, 0xfffe, largest, sizeof(largest), KVM_ENOSYS);
	/* What the largest one left in a buffer must not be read as tail. */
	peer_expect_error(peer, KVMI_VM_READ_PHYSICAL, NULL, 0, KVM_EINVAL);
	peer_command(peer, KVMI_VM_CONTROL_CLEANUP, NULL, 0, NULL, 0);
}

static void test_seq(struct peer *peer)
{
	static const uint32_t seqs[] = { 0, 0, 1, 0xffffffff, 0x80000000 };
	struct peer_message reply;
	size_t i;

	for (i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
		struct kvmi_msg_hdr hdr = { KVMI_GET_VERSION, 0, seqs[i] };

		peer_write(peer, &hdr, sizeof(hdr));
		expect(0, peer_reply(peer, KVMI_GET_VERSION, seqs[i], &reply));
	}
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);

	test_bytewise(&peer);
	test_glued(&peer);
	test_sizes(&peer);
	test_seq(&peer);
	hooked_end(vm, &peer);
	return 0;
}
