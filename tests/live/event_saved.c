// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device manager stops a vCPU that has just got its reply, reads its state
 * and sets it again, as it does around a look at registers. KVM keeps an INT3
 * that it is about to give back to the guest out of that state. It is one
 * event, and one #BP, all the same; so is one that a tool injects.
 *
 * lab: timeout=120
 */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define ROUNDS		150
#define BP_VECTOR	3

static const uint64_t kinds[] = {
	GUEST_INT3, GUEST_CR3, GUEST_HYPERCALL,
};

static void save_and_restore(struct vmm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events));
	vmm_vcpu_start(vcpu);
}

/* At any moment of what follows the reply. */
static void hesitate(void)
{
	volatile int i;

	for (i = rand() % 20000; i; i--)
		;
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int i;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	for (i = 1; i <= ROUNDS; i++) {
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, kind_event(kind), &event);
		event_continue(&peer, &event);
		hesitate();
		save_and_restore(vcpu);
		vmm_wait_executions(vcpu, i);
		if (kind == GUEST_INT3)
			expect(i, vmm_state(vcpu)->traps);
	}
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* Into a guest that rests; its handler counts. */
static void test_injected(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	uint64_t i;

	note("injected");
	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	vmm_vcpu_start(vcpu);
	for (i = 1; i <= ROUNDS; i++) {
		vcpu_inject(&peer, 0, BP_VECTOR);
		event_receive(&peer, KVMI_VCPU_EVENT_TRAP, &event);
		expect(BP_VECTOR, event.trap.nr);
		event_continue(&peer, &event);
		hesitate();
		save_and_restore(vcpu);
		wait_for(vmm_state(vcpu)->traps == i);
	}
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	expect(ROUNDS, vmm_state(vcpu)->traps);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	srand(1);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(kinds[i]);
	test_injected();
	return 0;
}
