// SPDX-License-Identifier: GPL-2.0-only
/*
 * As many events as the guest counts executions: two vCPUs that do all they
 * can, with 1000 timer interrupts a second and a device manager that takes its
 * vCPUs back all the time. Each reply and each register counts once.
 *
 * lab: timeout=120
 */
#include <pthread.h>
#include <stdatomic.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define EACH	150

static const uint64_t kinds[] = { EVENT_KINDS, GUEST_TRAP };

static atomic_bool done;

/* Signals, and now and then a longer time outside. */
static void *disturb(void *arg)
{
	struct vmm *vm = arg;
	unsigned int i;

	for (i = 0; !done; i++) {
		vmm_vcpu_kick(&vm->vcpus[i % 2]);
		sleep_ms(i % 7);
		if (i % 5)
			continue;
		vmm_vcpu_stop(&vm->vcpus[i / 5 % 2]);
		sleep_ms(i % 3);
		vmm_vcpu_start(&vm->vcpus[i / 5 % 2]);
	}
	return NULL;
}

static void answer(struct peer *peer, const struct event *event, int n)
{
	struct kvm_regs regs = event->arch.regs;

	if (n % 3 == 0)
		sleep_ms(3);
	regs.r15 = n % 2 ? 1 : 3;
	vcpu_set_registers(peer, event->vcpu, &regs);
	event_continue(peer, event);
}

/* An exception that is asked for too early comes elsewhere. */
static void provoke_next(struct vmm *vm, struct peer *peer, uint64_t kind,
			 uint16_t vcpu, uint64_t done)
{
	if (kind != GUEST_TRAP)
		return;
	wait_for(vmm_state(&vm->vcpus[vcpu])->executions == done);
	kind_provoke(peer, vcpu, kind);
}

static void expect_counts(struct vmm_vcpu *vcpu, uint64_t kind,
			  uint64_t marks)
{
	volatile struct guest_state *state = vmm_state(vcpu);

	vmm_wait_executions(vcpu, EACH);
	expect(marks, state->marks);
	expect(kind == GUEST_INT3 || kind == GUEST_TRAP ? EACH : 0,
	       state->traps);
}

static void test_kind(uint64_t kind)
{
	uint64_t marks[2] = { 0, 0 };
	int events[2] = { 0, 0 };
	pthread_t thread;
	struct event event;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	int i;

	note("kind %d", (int)kind);
	for (i = 0; i < 2; i++) {
		vmm_vcpu_load_long(vmm_vcpu_create(vm, i), kind);
		vmm_vcpu_start_timer(&vm->vcpus[i]);
		kind_control(&peer, i, kind, 1);
		vmm_vcpu_allow(&vm->vcpus[i], EACH);
		vmm_vcpu_start(&vm->vcpus[i]);
		kind_provoke(&peer, i, kind);
	}
	done = false;
	expect(0, pthread_create(&thread, NULL, disturb, vm));
	for (i = 0; i < 2 * EACH; i++) {
		event_receive(&peer, kind_event(kind), &event);
		expect(i + 1, event.seq);
		expect(vmm_kind_rip(kind), event.arch.regs.rip);
		marks[event.vcpu] += i % 2 ? 1 : 3;
		answer(&peer, &event, i);
		if (++events[event.vcpu] < EACH)
			provoke_next(vm, &peer, kind, event.vcpu,
				     events[event.vcpu]);
	}
	done = true;
	pthread_join(thread, NULL);
	for (i = 0; i < 2; i++)
		expect_counts(&vm->vcpus[i], kind, marks[i]);
	event_expect_none(&peer);
	for (i = 0; i < 2; i++) {
		uint64_t ticks = vmm_state(&vm->vcpus[i])->ticks_done;

		wait_for(vmm_state(&vm->vcpus[i])->ticks_done > ticks + 2);
		vmm_vcpu_stop(&vm->vcpus[i]);
		expect_true(vmm_state(&vm->vcpus[i])->ticks -
			    vmm_state(&vm->vcpus[i])->ticks_done <= 1);
	}
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
