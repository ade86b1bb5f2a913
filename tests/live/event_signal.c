// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU whose event is unanswered gives KVM_RUN back on a signal. The next
 * KVM_RUN waits on; the reply and the registers take effect before, during or
 * after that, once, with a timer that interrupts the guest 1000 times a second.
 *
 * lab: timeout=120
 */
#include "../lib/event.h"
#include "../lib/test.h"

#define ROUNDS	12

enum { BEFORE, DURING, AFTER, WHENS };

static const uint64_t kinds[] = { EVENT_KINDS, GUEST_TRAP };

static void answer(struct peer *peer, const struct event *event)
{
	struct kvm_regs regs = event->arch.regs;

	regs.r15 = 1;
	vcpu_set_registers(peer, event->vcpu, &regs);
	event_continue(peer, event);
}

static void kick(struct vmm_vcpu *vcpu)
{
	unsigned int before = vcpu->interrupted;
	uint64_t start = now_ms();

	/* A signal that comes before KVM_RUN is lost. */
	do {
		vmm_vcpu_kick(vcpu);
		sleep_ms(10);
	} while (vcpu->interrupted == before && now_ms() - start < DEADLINE_MS);
	expect_true(now_ms() - start < PROMPT_MS);
}

static void stop(struct vmm_vcpu *vcpu)
{
	uint64_t start = now_ms();

	vmm_vcpu_stop(vcpu);
	expect_true(now_ms() - start < PROMPT_MS);
}

static void one_round(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t kind,
		      int when)
{
	uint16_t index = vcpu - vcpu->vm->vcpus;
	struct event event;

	kind_begin(peer, vcpu, kind);
	event_receive(peer, kind_event(kind), &event);
	expect(index, event.vcpu);
	expect(vmm_kind_rip(kind), event.arch.regs.rip);
	/* A few ticks are due by now. */
	sleep_ms(5);
	kick(vcpu);
	switch (when) {
	case BEFORE:
		answer(peer, &event);
		stop(vcpu);
		vmm_vcpu_start(vcpu);
		break;
	case DURING:
		stop(vcpu);
		answer(peer, &event);
		vmm_vcpu_start(vcpu);
		break;
	case AFTER:
		stop(vcpu);
		vmm_vcpu_start(vcpu);
		kick(vcpu);
		answer(peer, &event);
		break;
	}
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	volatile struct guest_state *state;
	struct vmm_vcpu *vcpu;
	int i, n;

	note("kind %d", (int)kind);
	for (i = 0; i < 2; i++) {
		vcpu = vmm_vcpu_create(vm, i);
		vmm_vcpu_load_long(vcpu, kind);
		vmm_vcpu_start_timer(vcpu);
		vmm_vcpu_start(vcpu);
		kind_control(&peer, i, kind, 1);
	}
	for (n = 1; n <= ROUNDS; n++)
		for (i = 0; i < 2; i++) {
			vcpu = &vm->vcpus[i];
			state = vmm_state(vcpu);
			one_round(vcpu, &peer, kind, n % WHENS);
			vmm_wait_executions(vcpu, n);
			expect(n, state->marks);
			if (kind == GUEST_INT3)
				expect(n, state->traps);
			else if (kind == GUEST_HYPERCALL)
				expect(0, state->result);
			else
				expect(state->wanted, state->result);
		}
	event_expect_none(&peer);
	for (i = 0; i < 2; i++) {
		uint64_t ticks = vmm_state(&vm->vcpus[i])->ticks_done;

		wait_for(vmm_state(&vm->vcpus[i])->ticks_done > ticks + 2);
		vmm_vcpu_stop(&vm->vcpus[i]);
		state = vmm_state(&vm->vcpus[i]);
		expect_true(state->ticks - state->ticks_done <= 1);
	}
	hooked_end(vm, &peer);
}

/* A pause is bound to no instruction: with its reply the guest just goes on. */
static void test_pause(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	uint64_t before;
	int n;

	note("pause");
	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1ull << 60);
	for (n = 1; n <= ROUNDS; n++) {
		vcpu_pause(&peer, 0);
		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		before = state->executions;
		kick(vcpu);
		if (n % WHENS == BEFORE)
			event_continue(&peer, &event);
		stop(vcpu);
		if (n % WHENS == DURING)
			event_continue(&peer, &event);
		vmm_vcpu_start(vcpu);
		if (n % WHENS == AFTER) {
			kick(vcpu);
			expect(before, state->executions);
			event_continue(&peer, &event);
		}
		wait_for(state->executions > before + 1);
		event_expect_none(&peer);
	}
	expect(0, state->wrong);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i]))
			test_kind(kinds[i]);
	test_pause();
	return 0;
}
