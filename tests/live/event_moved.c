// SPDX-License-Identifier: GPL-2.0-only
/*
 * User space moves a vCPU whose event is unanswered: the event is over. Its
 * late registers and its late reply are accepted and dropped.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

static const uint64_t kinds[] = { EVENT_KINDS };

static void move(struct vmm_vcpu *vcpu, uint64_t rip)
{
	struct kvm_regs regs;

	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	regs.rip = rip;
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event old, event;
	struct kvm_regs regs;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &old);
	vmm_vcpu_stop(vcpu);
	move(vcpu, GUEST_EVENTS);
	vmm_vcpu_start(vcpu);

	/* It began anew; its first attempt had no effect. */
	regs = old.arch.regs;
	regs.r15 = 99;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &old);
	peer_expect_open(&peer);
	wait_for(state->ticks_done > 2);
	expect(0, state->executions);
	expect(0, state->traps);
	expect(-KVM_EOPNOTSUPP, __vcpu_set_registers(&peer, 0, &regs));

	/* The next event is another, and is answered as ever. */
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	expect(old.seq + 1, event.seq);
	event_continue(&peer, &event);
	wait_for(state->executions == 1);
	expect(2, state->attempts);
	expect(0, state->marks);
	expect(0, state->wrong);

	/* Both unanswered; then the newer one is answered first. */
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &old);
	vmm_vcpu_stop(vcpu);
	move(vcpu, GUEST_EVENTS);
	vmm_vcpu_allow(vcpu, 1);
	vmm_vcpu_start(vcpu);
	event_receive(&peer, kind_event(kind), &event);
	event_continue(&peer, &event);
	wait_for(state->executions == 2);
	event_continue(&peer, &old);
	peer_expect_open(&peer);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i]))
			test_kind(kinds[i]);
	return 0;
}
