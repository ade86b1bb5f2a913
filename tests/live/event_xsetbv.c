// SPDX-License-Identifier: GPL-2.0-only
/*
 * The XSETBV event: sent before XCR0 changes, with both values; none when it
 * does not change, be it that the value is the same or that it faults. There is
 * no veto.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    struct event *event)
{
	static const uint8_t zero[7];

	event_receive(peer, KVMI_VCPU_EVENT_XSETBV, event);
	expect(vcpu - vcpu->vm->vcpus, event->vcpu);
	expect(0, event->xsetbv.xcr);
	expect_bytes(zero, event->xsetbv.padding, 7);
	expect(vmm_kind_rip(GUEST_XSETBV), event->arch.regs.rip);
	expect(vmm_state(vcpu)->wanted, event->xsetbv.new_value);
	expect(event->xsetbv.old_value ^ 2, event->xsetbv.new_value);
}

/* The guest XORs a constant before the instruction. */
static void set_flip(struct vmm_vcpu *vcpu, uint8_t flip)
{
	uint8_t *code = vmm_host(vcpu->vm, vmm_kind_rip(GUEST_XSETBV));

	/* xor $imm8, %eax */
	for (; code[0] != 0x83 || code[1] != 0xf0; code--)
		;
	code[2] = flip;
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	uint64_t done = 0;
	int i;

	if (!vmm_kind_possible(GUEST_XSETBV))
		skip("the host does not use XSAVE");
	vmm_vcpu_load_long(vcpu, GUEST_XSETBV);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, ++done);

	kind_control(&peer, 0, GUEST_XSETBV, 1);
	for (i = 0; i < 4; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		expect(done, state->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, ++done);
		expect(event.xsetbv.new_value, state->result);
	}
	cell("event:VCPU_EVENT_XSETBV:sent");
	cell("event:VCPU_EVENT_XSETBV:CONTINUE");

	/* Nothing changes: it writes what it reads. */
	set_flip(vcpu, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);
	/* Nor does it with a value that faults: bit 0 is always 1. */
	set_flip(vcpu, 1);
	vmm_vcpu_allow(vcpu, 1);
	done++;
	wait_for(state->executions == done);
	expect(1, state->faults);
	event_expect_none(&peer);
	state->faults = 0;
	set_flip(vcpu, 2);

	kind_control(&peer, 0, GUEST_XSETBV, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	expect(state->wanted, state->result);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
	return 0;
}
