// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TRAP event: tells what the guest gets, before it gets it, and before any
 * other event. What the guest has coming already goes first, and then the
 * exception of the tool is off.
 */
#include <sys/ioctl.h>

#include "../lib/test.h"
#include "../lib/trap.h"

ALSO_WITH_SPARE_VCPU;

static const uint64_t kinds[] = {
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_INT3, GUEST_HYPERCALL,
};

/*
 * Asked for while another event waits, with a pause asked for before: the
 * instruction comes to its end, then TRAP, then PAUSE.
 */
static void test_order(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, kind);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	unsigned int own = kind == GUEST_INT3 ? BP_VECTOR : UD_VECTOR;
	struct event event, trap;

	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	vcpu_pause(&peer, 0);
	vcpu_pause(&peer, 0);
	expect(0, __vcpu_inject(&peer, 0, UD_VECTOR, 0, 0));
	expect(-KVM_EBUSY, __vcpu_inject(&peer, 0, GP_VECTOR, 0, 0));
	event_expect_none(&peer);
	event_continue(&peer, &event);
	/* INT3 continues as the guest's own #BP, which is there first. */
	trap_receive(&peer, own, &trap);
	cell("event:VCPU_EVENT_TRAP:sent");
	expect(0, state->caught[own]);
	event_continue(&peer, &trap);
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	/* Before the next pause, too. */
	if (kind == GUEST_INT3) {
		vcpu_inject(&peer, 0, GP_VECTOR);
		event_continue(&peer, &event);
		trap_receive(&peer, own, &trap);
		event_continue(&peer, &trap);
	} else {
		event_continue(&peer, &event);
	}
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	wait_for(state->caught[own]);
	expect(1, state->caught[own]);
	expect(0, state->caught[GP_VECTOR]);
	if (kind == GUEST_HYPERCALL)
		expect(0, state->result);
	event_expect_none(&peer);
	cell("event:VCPU_EVENT_TRAP:CONTINUE");
	hooked_end(vm, &peer);
}

/* User space has an exception for the guest: that, with all it has. */
static void test_others(void)
{
	struct kvm_vcpu_events events;
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_CR3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;

	must(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = NP_VECTOR;
	events.exception.has_error_code = 1;
	events.exception.error_code = 0x58;
	must(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events));
	expect(0, __vcpu_inject(&peer, 0, PF_VECTOR, 2, 0x5000));
	vmm_vcpu_allow(vcpu, 1);
	vmm_vcpu_start(vcpu);
	trap_receive(&peer, NP_VECTOR, &event);
	expect(0x58, event.trap.error_code);
	expect(0, event.trap.address);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(1, state->caught[NP_VECTOR]);
	expect(0x58, state->error[NP_VECTOR]);
	expect(0, state->caught[PF_VECTOR]);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* A register goes into the handler, with or without a timer tick before it. */
static void test_registers(void)
{
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_TRAP);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t done = vmm_kind_rip(GUEST_TRAP) + 2;
	struct kvm_regs regs;
	struct event event;

	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_begin(&peer, vcpu, GUEST_TRAP);
	trap_receive(&peer, UD_VECTOR, &event);
	expect(vmm_kind_rip(GUEST_TRAP), event.arch.regs.rip);
	regs = event.arch.regs;
	regs.rip = done;
	regs.r15 = 21;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(21, state->marks);
	expect(1, state->caught[UD_VECTOR]);
	expect(done, state->rip[UD_VECTOR]);

	/* In the pause that follows TRAP, just the same. */
	kind_begin(&peer, vcpu, GUEST_TRAP);
	trap_receive(&peer, UD_VECTOR, &event);
	vcpu_pause(&peer, 0);
	event_continue(&peer, &event);
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	regs = event.arch.regs;
	regs.rip = done;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 2);
	expect(2, state->caught[UD_VECTOR]);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* #BP where there is an INT3 returns behind it, as INT3 does. */
static void test_at_int3(void)
{
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_INT3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	int n;

	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, GUEST_INT3, 1);
	for (n = 1; n <= 20; n++) {
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, KVMI_VCPU_EVENT_BREAKPOINT, &event);
		wait_for(__vcpu_inject(&peer, 0, BP_VECTOR, 0, 0) == 0);
		event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
		trap_receive(&peer, BP_VECTOR, &event);
		expect(vmm_kind_rip(GUEST_INT3), event.arch.regs.rip);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, n);
		expect(n, state->caught[BP_VECTOR]);
		expect(vmm_kind_rip(GUEST_INT3) + 1, state->rip[BP_VECTOR]);
	}
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_order(kinds[i]);
	test_others();
	test_registers();
	test_at_int3();
	return 0;
}
