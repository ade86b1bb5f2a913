// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_XSAVE: what the guest has in its vector registers, also those that
 * are in the processor while the vCPU waits for a tool or is between two
 * instructions, and what user space has set.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/test.h"
#include "../lib/xsave.h"

ALSO_WITH_SPARE_VCPU;

static void fill(volatile struct guest_state *state, int n)
{
	state->loaded[0] = 0x0123456789abcdef + n;
	state->loaded[1] = 0xfedcba9876543210 - n;
}

static void expect_loaded(struct peer *peer, int n)
{
	struct kvmi_vcpu_get_xsave_reply area;
	uint64_t want[2] = { 0x0123456789abcdef + n, 0xfedcba9876543210 - n };

	xsave_get(peer, &area);
	expect_bytes(want, XSAVE_XMM(&area, 5), sizeof(want));
}

int main(void)
{
	struct kvmi_vcpu_get_xsave_reply area;
	struct kvm_xsave theirs;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int n;

	vmm_vcpu_load_long(vcpu, GUEST_XMM);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	for (n = 1; n <= 20; n++) {
		fill(vmm_state(vcpu), n);
		vmm_vcpu_allow(vcpu, 1);
		vmm_wait_executions(vcpu, n);
		expect_loaded(&peer, n);
	}
	note("in an event");
	kind_control(&peer, 0, GUEST_XMM, 1);
	for (; n <= 40; n++) {
		fill(vmm_state(vcpu), n);
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, KVMI_VCPU_EVENT_CR, &event);
		expect_loaded(&peer, n - 1);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, n);
		expect_loaded(&peer, n);
	}
	note("outside");
	vmm_vcpu_stop(vcpu);
	expect_loaded(&peer, n - 1);
	must(ioctl(vcpu->fd, KVM_GET_XSAVE, &theirs));
	xsave_get(&peer, &area);
	expect_bytes(&theirs, &area, sizeof(area));
	memset(XSAVE_XMM(&theirs, 5), 0x5a, 16);
	must(ioctl(vcpu->fd, KVM_SET_XSAVE, &theirs));
	xsave_get(&peer, &area);
	expect_bytes(&theirs, &area, sizeof(area));
	cell("message:VCPU_GET_XSAVE:ok");
	hooked_end(vm, &peer);
	return 0;
}
