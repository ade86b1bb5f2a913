// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_GET_INFO: the number of vCPUs, also of those made while hooked, whatever
 * their ids.
 */
#include <string.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static uint32_t count_vcpus(struct peer *peer)
{
	struct kvmi_vm_get_info_reply reply;
	static const uint32_t zero[3];

	memset(&reply, 0xff, sizeof(reply));
	peer_command(peer, KVMI_VM_GET_INFO, NULL, 0, &reply, sizeof(reply));
	expect_bytes(zero, reply.padding, sizeof(zero));
	return reply.vcpu_count;
}

int main(void)
{
	const int ids[] = { 3, 0, 7 };
	uint8_t longer[16];
	struct kvmi_vm_get_info_reply reply;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	int i;

	expect(0, count_vcpus(&peer));
	for (i = 0; i < 3; i++) {
		vmm_vcpu_create(vm, ids[i]);
		expect(i + 1, count_vcpus(&peer));
	}
	cell("message:VM_GET_INFO:ok");
	memset(longer, 0xff, sizeof(longer));
	peer_command(&peer, KVMI_VM_GET_INFO, longer, sizeof(longer), &reply,
		     sizeof(reply));
	hooked_end(vm, &peer);
	return 0;
}
