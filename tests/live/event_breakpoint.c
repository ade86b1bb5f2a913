// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BREAKPOINT event: sent instead of INT3; CONTINUE gives the exception to
 * the guest, RETRY goes on where the tool says.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    struct event *event)
{
	static const uint8_t zero[7];

	event_receive(peer, KVMI_VCPU_EVENT_BREAKPOINT, event);
	expect(vcpu - vcpu->vm->vcpus, event->vcpu);
	expect(vmm_kind_rip(GUEST_INT3), event->arch.regs.rip);
	expect(vmm_kind_rip(GUEST_INT3), event->breakpoint.gpa);
	expect(1, event->breakpoint.insn_len);
	expect_bytes(zero, event->breakpoint.padding, 7);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	uint8_t *code = vmm_host(vm, vmm_kind_rip(GUEST_INT3));
	struct kvm_regs regs;
	struct event event;
	int i;

	vmm_vcpu_load_long(vcpu, GUEST_INT3);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	expect(1, state->traps);

	kind_control(&peer, 0, GUEST_INT3, 1);
	for (i = 2; i < 6; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		expect(i - 1, state->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, i);
		expect(i, state->traps);
	}
	cell("event:VCPU_EVENT_BREAKPOINT:sent");
	cell("event:VCPU_EVENT_BREAKPOINT:CONTINUE");

	/* Over it. */
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	regs = event.arch.regs;
	regs.rip++;
	regs.r15 = 77;
	vcpu_set_registers(&peer, 0, &regs);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 6);
	expect(77, state->marks);
	expect(5, state->traps);

	/* The same instruction again, once more and then as a NOP. */
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	receive(vcpu, &peer, &event);
	*code = 0x90;
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 7);
	expect(5, state->traps);
	*code = 0xcc;
	cell("event:VCPU_EVENT_BREAKPOINT:RETRY");

	/* CONTINUE elsewhere is no exception either. */
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	regs = event.arch.regs;
	regs.rip++;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 8);
	expect(5, state->traps);

	kind_control(&peer, 0, GUEST_INT3, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, 10);
	expect(7, state->traps);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
	return 0;
}
