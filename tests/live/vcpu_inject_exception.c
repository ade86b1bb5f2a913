// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_INJECT_EXCEPTION: each exception comes once, with its error code and its
 * address, to a guest that runs, halts, or is outside of KVM_RUN; the vectors
 * that are none, and what is in the way, are refused.
 *
 * lab: timeout=120
 */
#include <sys/ioctl.h>

#include "../lib/emulator.h"
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define BP_VECTOR	3
#define UD_VECTOR	6
#define PF_VECTOR	14
#define TIMER_VECTOR	0x20
#define ADDRESS		0xffff8123456789abull
#define EACH		40

/* Those with an error code. */
#define CODED		0x27d00
/* All that can be injected; 9, 15 and the like are no exceptions any more. */
#define GOOD		0x000b7dfb

static bool is_good(unsigned int nr)
{
	return nr < 32 && GOOD >> nr & 1;
}

static struct vmm *begin(struct peer *peer, uint64_t kind)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, kind);
	vmm_catch(vm);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_allow(vcpu, 1ull << 60);
	return vm;
}

/*
 * Until the one before has been delivered it is in the way, and a timer tick
 * that is on its way goes first: then asks again.
 */
static void inject(struct peer *peer, unsigned int nr, struct event *event)
{
	for (;;) {
		wait_for(__vcpu_inject(peer, 0, nr, 0x1234, ADDRESS) == 0);
		event_receive(peer, KVMI_VCPU_EVENT_TRAP, event);
		if (event->trap.nr != TIMER_VECTOR)
			break;
		event_continue(peer, event);
	}
	expect(0, event->vcpu);
	expect(0, event->trap.padding1);
	expect(0, event->trap.padding2);
	expect(nr, event->trap.nr);
	expect(CODED >> nr & 1 ? 0x1234 : 0, event->trap.error_code);
	expect(nr == PF_VECTOR ? ADDRESS : event->arch.sregs.cr2,
	       event->trap.address);
}

static void expect_caught(struct vmm_vcpu *vcpu, unsigned int nr, uint64_t n)
{
	volatile struct guest_state *state = vmm_state(vcpu);

	wait_for(state->caught[nr] >= n || vcpu->error || vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exit_reason);
	expect(n, state->caught[nr]);
	expect(CODED >> nr & 1 ? 0x1234 : 0, state->error[nr]);
}

static void test_vectors(void)
{
	uint64_t cr2 = 0;
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3);
	volatile struct guest_state *state = vmm_state(&vm->vcpus[0]);
	uint64_t before;
	unsigned int nr;
	int n;

	vmm_vcpu_start(&vm->vcpus[0]);
	for (n = 1; n <= EACH; n++)
		for (nr = 0; nr < 32; nr++) {
			if (!is_good(nr))
				continue;
			inject(&peer, nr, &event);
			/* Not before it is delivered. */
			if (!emulator_is_bochs_svm())
				expect(cr2, event.arch.sregs.cr2);
			expect(n - 1, state->caught[nr]);
			event_continue(&peer, &event);
			expect_caught(&vm->vcpus[0], nr, n);
			if (nr == PF_VECTOR)
				cr2 = ADDRESS;
			if (!emulator_is_bochs_svm())
				expect(cr2, state->cr2[nr]);
			expect(event.arch.regs.rip, state->rip[nr]);
		}
	cell("message:VCPU_INJECT_EXCEPTION:ok");
	before = state->ticks_done;
	wait_for(state->ticks_done > before + 2);
	for (nr = 0; nr < 32; nr++)
		expect(is_good(nr) ? EACH : 0, state->caught[nr]);
	event_expect_none(&peer);
	expect(0, state->wrong);
	hooked_end(vm, &peer);
}

/* The vCPU halts, nothing but the exception wakes it. */
static void test_halted(void)
{
	struct event event;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	int n;

	note("halted");
	vmm_vcpu_load_long(vcpu, GUEST_HLT);
	vmm_catch(vm);
	vmm_vcpu_start(vcpu);
	for (n = 1; n <= EACH; n++) {
		vmm_vcpu_allow(vcpu, 1);
		wait_for(vmm_state(vcpu)->attempts == (uint64_t)n);
		sleep_ms(5);
		expect(n - 1, vmm_state(vcpu)->executions);
		inject(&peer, PF_VECTOR, &event);
		event_continue(&peer, &event);
		expect_caught(vcpu, PF_VECTOR, n);
		vmm_wait_executions(vcpu, n);
	}
	expect(vmm_label(guest_events_hlt) + 1,
	       vmm_state(vcpu)->rip[PF_VECTOR]);
	hooked_end(vm, &peer);
}

static void test_outside(void)
{
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	int n;

	note("outside");
	for (n = 1; n <= EACH; n++) {
		vcpu_inject(&peer, 0, UD_VECTOR);
		expect(-KVM_EBUSY, __vcpu_inject(&peer, 0, BP_VECTOR, 0, 0));
		if (n == 1)
			event_expect_none(&peer);
		vmm_vcpu_start(vcpu);
		event_receive(&peer, KVMI_VCPU_EVENT_TRAP, &event);
		if (event.trap.nr == TIMER_VECTOR) {
			event_continue(&peer, &event);
			inject(&peer, UD_VECTOR, &event);
		}
		event_continue(&peer, &event);
		expect_caught(vcpu, UD_VECTOR, n);
		vmm_vcpu_stop(vcpu);
		/* Delivered, so it is no longer in the way. */
	}
	expect(0, vmm_state(vcpu)->caught[BP_VECTOR]);
	hooked_end(vm, &peer);
}

static void test_refused(void)
{
	struct kvmi_vcpu_inject_exception ok = { .nr = UD_VECTOR };
	struct kvm_mp_state sipi = { .mp_state = KVM_MP_STATE_INIT_RECEIVED };
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3);
	struct vmm_vcpu *vcpu = &vm->vcpus[0];
	unsigned int nr;

	note("refused");
	vmm_vcpu_start(vcpu);
	for (nr = 0; nr < 256; nr++)
		if (!is_good(nr))
			expect(-KVM_EINVAL, __vcpu_inject(&peer, 0, nr, 0, 0));
	vcpu_expect_padding(&peer, KVMI_VCPU_INJECT_EXCEPTION, &ok, sizeof(ok),
			    1, 4);
	cell("message:VCPU_INJECT_EXCEPTION:EINVAL");

	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_TRAP, 0));
	expect(-KVM_EPERM, __vcpu_inject(&peer, 0, UD_VECTOR, 0, 0));
	expect(-KVM_EPERM, __vcpu_inject(&peer, 0, 255, 0, 0));
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_TRAP, 1));
	cell("message:VCPU_INJECT_EXCEPTION:EPERM");

	/* While the tool thinks about the first. */
	inject(&peer, UD_VECTOR, &event);
	for (nr = 0; nr < 32; nr++)
		if (is_good(nr))
			expect(-KVM_EBUSY, __vcpu_inject(&peer, 0, nr, 0, 0));
	cell("message:VCPU_INJECT_EXCEPTION:EBUSY");
	event_continue(&peer, &event);
	expect_caught(vcpu, UD_VECTOR, 1);
	event_expect_none(&peer);

	vcpu = vmm_vcpu_create(vm, 1);
	must(ioctl(vcpu->fd, KVM_SET_MP_STATE, &sipi));
	expect(-KVM_EAGAIN, __vcpu_inject(&peer, vcpu - vm->vcpus, UD_VECTOR,
					  0, 0));
	hooked_end(vm, &peer);
}

int main(void)
{
	test_vectors();
	test_halted();
	test_outside();
	test_refused();
	return 0;
}
