// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM with dirty rings, which belong to vCPUs: what the tool writes appears
 * in the ring of some vCPU, and the guest runs on.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define RING_BYTES	(4096 * sizeof(struct kvm_dirty_gfn))

static bool ring_has(struct vmm *vm, uint64_t gfn)
{
	size_t i;
	int n;

	for (n = 0; n < vm->nvcpus; n++)
		for (i = 0; i < RING_BYTES / sizeof(struct kvm_dirty_gfn); i++)
			if (vm->vcpus[n].ring[i].flags &&
			    vm->vcpus[n].ring[i].slot == 0 &&
			    vm->vcpus[n].ring[i].offset == gfn)
				return true;
	return false;
}

int main(void)
{
	struct vmm_options options = {
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.dirty_ring = RING_BYTES,
	};
	struct vmm *vm = vmm_create(&options);
	struct vmm_vcpu *vcpu;
	struct peer peer;
	int i;

	hook_require(vm);
	hook(vm, &peer);
	hook_allow_all(vm);
	/* There is no ring yet that could tell. */
	expect(-KVM_EAGAIN, __peer_put(&peer, 0x20000, "x", 1));
	expect(0, *(uint8_t *)vmm_host(vm, 0x20000));
	cell("message:VM_WRITE_PHYSICAL:EAGAIN");
	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_expect_alive(vcpu);

	for (i = 0; i < 50; i++) {
		expect(0, __peer_put(&peer, 0x20000 + i * 4096, "x", 1));
		expect('x', *(uint8_t *)vmm_host(vm, 0x20000 + i * 4096));
		wait_for(ring_has(vm, 0x20 + i));
	}
	vmm_expect_alive(vcpu);
	vmm_vcpu_stop(vcpu);
	must(ioctl(vm->fd, KVM_RESET_DIRTY_RINGS, 0));
	hooked_end(vm, &peer);
	return 0;
}
