// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_GET_MAX_GFN: one past the last page of writable memory, as slots come and
 * go; read-only slots and KVM's own do not count.
 */
#include <string.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static uint64_t max_gfn(struct peer *peer)
{
	struct kvmi_vm_get_max_gfn_reply reply;

	memset(&reply, 0xff, sizeof(reply));
	peer_command(peer, KVMI_VM_GET_MAX_GFN, NULL, 0, &reply,
		     sizeof(reply));
	return reply.gfn;
}

int main(void)
{
	struct kvmi_vm_get_max_gfn_reply reply;
	uint8_t longer[16];
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);

	expect(VMM_MEMORY >> 12, max_gfn(&peer));
	vmm_slot_add(vm, 2, 5ull << 30, 0x3000, 0);
	expect((5ull << 18) + 3, max_gfn(&peer));
	vmm_slot_add(vm, 1, 3ull << 30, 0x1000, 0);
	expect((5ull << 18) + 3, max_gfn(&peer));
	vmm_slot_add(vm, 3, 7ull << 30, 0x1000, KVM_MEM_READONLY);
	expect((5ull << 18) + 3, max_gfn(&peer));
	vmm_slot_remove(vm, 2);
	expect((3ull << 18) + 1, max_gfn(&peer));
	vmm_slot_remove(vm, 1);
	expect(VMM_MEMORY >> 12, max_gfn(&peer));
	/* A vCPU brings KVM's own slots near the end of 4 GiB. */
	vmm_vcpu_create(vm, 0);
	expect(VMM_MEMORY >> 12, max_gfn(&peer));
	cell("message:VM_GET_MAX_GFN:ok");

	memset(longer, 0xff, sizeof(longer));
	peer_command(&peer, KVMI_VM_GET_MAX_GFN, longer, sizeof(longer),
		     &reply, sizeof(reply));
	hooked_end(vm, &peer);
	return 0;
}
