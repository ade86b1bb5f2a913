// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HYPERCALL event: sent for one hypercall; the guest gets 0, or without the
 * event -KVM_ENOSYS.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct kvm_regs regs;
	struct event event;
	int i;

	vmm_vcpu_load_long(vcpu, GUEST_HYPERCALL);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	expect(-KVM_ENOSYS, state->result);

	kind_control(&peer, 0, GUEST_HYPERCALL, 1);
	for (i = 2; i < 6; i++) {
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, KVMI_VCPU_EVENT_HYPERCALL, &event);
		expect(0, event.vcpu);
		expect(vmm_kind_rip(GUEST_HYPERCALL), event.arch.regs.rip);
		expect(34, event.arch.regs.rax);
		expect(24, event.arch.regs.rdi);
		expect(i - 1, state->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, i);
		expect(0, state->result);
	}
	cell("event:VCPU_EVENT_HYPERCALL:sent");
	cell("event:VCPU_EVENT_HYPERCALL:CONTINUE");

	/* The tool goes over it itself, with its own result. */
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_HYPERCALL, &event);
	regs = event.arch.regs;
	regs.rip += 3;
	regs.rax = 4711;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 6);
	expect(4711, state->result);

	kind_control(&peer, 0, GUEST_HYPERCALL, 0);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 7);
	expect(-KVM_ENOSYS, state->result);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
	return 0;
}
