// SPDX-License-Identifier: GPL-2.0-only
/*
 * What user space does while a tool thinks about TRAP: the exception comes once
 * all the same, unless the vCPU has been taken elsewhere.
 */
#include <sys/ioctl.h>

#include "../lib/test.h"
#include "../lib/trap.h"

/* Reads all state and writes it back, as device managers do when asked. */
static void rewrite(struct vmm_vcpu *vcpu)
{
	struct kvm_vcpu_events events;
	struct kvm_regs regs;

	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	must(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	must(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events));
}

/* #BP as well, which KVM_GET_VCPU_EVENTS does not show. */
static void test_rewritten(unsigned int nr)
{
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_CR3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	int n;

	note("vector %u", nr);
	vmm_vcpu_allow(vcpu, 1ull << 60);
	for (n = 1; n <= 10; n++) {
		vmm_vcpu_start(vcpu);
		wait_for(__vcpu_inject(&peer, 0, nr, 0, 0x7000) == 0);
		trap_receive(&peer, nr, &event);
		vmm_vcpu_stop(vcpu);
		rewrite(vcpu);
		if (n % 2)
			event_continue(&peer, &event);
		peer_expect_open(&peer);
		rewrite(vcpu);
		expect(n - 1, state->caught[nr]);
		vmm_vcpu_start(vcpu);
		if (n % 2 == 0)
			event_continue(&peer, &event);
		wait_for(state->caught[nr] == (uint64_t)n);
		vmm_vcpu_stop(vcpu);
	}
	event_expect_none(&peer);
	expect(n - 1, state->caught[nr]);
	hooked_end(vm, &peer);
}

/* User space's own, meanwhile: first that, then the tool's, each once. */
static void test_between(void)
{
	struct kvm_vcpu_events events;
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_CR3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;

	vmm_vcpu_start(vcpu);
	vcpu_inject(&peer, 0, UD_VECTOR);
	trap_receive(&peer, UD_VECTOR, &event);
	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = GP_VECTOR;
	events.exception.has_error_code = 1;
	events.exception.error_code = 8;
	must(ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events));
	event_continue(&peer, &event);
	vmm_vcpu_allow(vcpu, 1);
	vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, 1);
	expect(1, state->caught[GP_VECTOR]);
	expect(1, state->caught[UD_VECTOR]);
	expect(event.arch.regs.rip, state->rip[GP_VECTOR]);
	/* At the first instruction of the other's handler. */
	expect(GUEST_STUBS + 16 * GP_VECTOR, state->rip[UD_VECTOR]);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* User space has taken the vCPU elsewhere: there the exception is not due. */
static void test_moved(void)
{
	struct kvm_regs regs;
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_TRAP);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	struct event event;

	vmm_vcpu_start(vcpu);
	kind_begin(&peer, vcpu, GUEST_TRAP);
	trap_receive(&peer, UD_VECTOR, &event);
	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	regs.rip += 2;
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
	vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, 1);
	event_continue(&peer, &event);
	vcpu_inject(&peer, 0, GP_VECTOR);
	trap_receive(&peer, GP_VECTOR, &event);
	event_continue(&peer, &event);
	wait_for(vmm_state(vcpu)->caught[GP_VECTOR] == 1);
	expect(0, vmm_state(vcpu)->caught[UD_VECTOR]);
	hooked_end(vm, &peer);
}

static uint32_t mp_state(struct vmm_vcpu *vcpu)
{
	struct kvm_mp_state state;

	must(ioctl(vcpu->fd, KVM_GET_MP_STATE, &state));
	return state.mp_state;
}

/* INIT throws away all that the vCPU had coming. */
static void test_init(void)
{
	struct kvm_vcpu_events events;
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct peer peer;
	struct vmm *vm = trap_vmm(&peer, GUEST_TRAP);
	struct vmm_vcpu *ap = vmm_vcpu_create(vm, 1);
	volatile struct guest_state *state = vmm_state(ap);
	struct event event;

	note("INIT");
	vmm_vcpu_load_long(ap, GUEST_TRAP);
	vmm_vcpu_start(ap);
	kind_begin(&peer, ap, GUEST_TRAP);
	trap_receive(&peer, UD_VECTOR, &event);
	expect(1, event.vcpu);
	vmm_vcpu_stop(ap);
	event_continue(&peer, &event);
	peer_expect_open(&peer);
	must(ioctl(ap->fd, KVM_GET_SREGS, &sregs));
	must(ioctl(ap->fd, KVM_GET_REGS, &regs));
	must(ioctl(ap->fd, KVM_GET_VCPU_EVENTS, &events));
	events.flags = KVM_VCPUEVENT_VALID_SMM;
	events.smi.latched_init = 1;
	must(ioctl(ap->fd, KVM_SET_VCPU_EVENTS, &events));
	vmm_vcpu_start(ap);
	sleep_ms(20);
	vmm_vcpu_stop(ap);
	expect(KVM_MP_STATE_INIT_RECEIVED, mp_state(ap));
	expect(-KVM_EAGAIN, __vcpu_inject(&peer, 1, UD_VECTOR, 0, 0));

	must(ioctl(ap->fd, KVM_SET_MP_STATE, &runnable));
	must(ioctl(ap->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(ap->fd, KVM_SET_REGS, &regs));
	vmm_vcpu_start(ap);
	sleep_ms(20);
	expect(0, state->caught[UD_VECTOR]);
	expect(0, state->executions);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_rewritten(GP_VECTOR);
	test_rewritten(PF_VECTOR);
	test_rewritten(BP_VECTOR);
	test_between();
	test_moved();
	test_init();
	return 0;
}
