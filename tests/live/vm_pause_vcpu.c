// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_PAUSE_VCPU and the PAUSE event: one event for each command, of a vCPU that
 * runs, halts, or is not run yet; at most 1002 are owed at once, and to this
 * session only.
 */
#include "../lib/event.h"
#include "../lib/test.h"

#define MOST	1002

static void test_running(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *busy = vmm_vcpu_run(vm, 0, &guest_busy);
	struct event event;
	uint32_t before;
	volatile uint32_t *counter = vmm_host(vm, GUEST_COUNTERS);
	int i, wait;

	vmm_vcpu_run(vm, 1, &guest_halt);
	vmm_expect_alive(busy);
	for (i = 0; i < 8; i++) {
		wait = i % 2;
		expect(0, __vcpu_pause(&peer, i / 4, wait));
		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		expect(i / 4, event.vcpu);
		expect(2, event.arch.mode);
		expect(0, event.size);
		before = *counter;
		sleep_ms(20);
		if (i / 4 == 0)
			expect(before, *counter);
		event_continue(&peer, &event);
		vmm_expect_alive(busy);
	}
	cell("event:VCPU_EVENT_PAUSE:sent");
	cell("event:VCPU_EVENT_PAUSE:CONTINUE");

	/* Owed while the first is unanswered, and both vCPUs at once. */
	for (i = 0; i < 6; i++)
		vcpu_pause(&peer, i % 2);
	for (i = 0; i < 6; i++) {
		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		event_continue(&peer, &event);
	}
	event_expect_none(&peer);
	vmm_expect_alive(busy);
	hooked_end(vm, &peer);
}

/* A pause does not end a halt. */
static void test_halted(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int i;

	vmm_vcpu_load_long(vcpu, GUEST_HLT);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	wait_for(vmm_state(vcpu)->attempts == 1);
	for (i = 0; i < 4; i++) {
		sleep_ms(5);
		expect(0, __vcpu_pause(&peer, 0, i % 2));
		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		expect(0, vmm_state(vcpu)->executions);
		event_continue(&peer, &event);
	}
	cell("event:VCPU_EVENT_PAUSE:sent");
	cell("event:VCPU_EVENT_PAUSE:CONTINUE");
	sleep_ms(20);
	expect(0, vmm_state(vcpu)->executions);
	vmm_vcpu_stop(vcpu);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, 1);
	hooked_end(vm, &peer);
}

static void test_errors(void)
{
	struct kvmi_vm_pause_vcpu ok = { .vcpu = 0 };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int i;

	expect(-KVM_EINVAL, __vcpu_pause(&peer, 0, 2));
	expect(-KVM_EINVAL, __vcpu_pause(&peer, 0, 0xff));
	expect(-KVM_EINVAL, __vcpu_pause(&peer, 1, 0));
	expect(-KVM_EINVAL, __vcpu_pause(&peer, 0xffff, 0));
	peer_expect_padding(&peer, KVMI_VM_PAUSE_VCPU, &ok, sizeof(ok), 3, 8);
	cell("message:VM_PAUSE_VCPU:EINVAL");

	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_PAUSE, 0));
	expect(-KVM_EPERM, __vcpu_pause(&peer, 0, 0));
	expect(-KVM_EPERM, __vcpu_pause(&peer, 1, 0));
	expect(-KVM_EINVAL, __vcpu_pause(&peer, 0, 2));
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_PAUSE, 1));
	cell("message:VM_PAUSE_VCPU:EPERM");

	for (i = 0; i < MOST; i++)
		expect(0, __vcpu_pause(&peer, 0, i % 2));
	cell("message:VM_PAUSE_VCPU:ok");
	expect(-KVM_EBUSY, __vcpu_pause(&peer, 0, 0));
	expect(-KVM_EBUSY, __vcpu_pause(&peer, 0, 1));
	cell("message:VM_PAUSE_VCPU:EBUSY");
	event_expect_none(&peer);

	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_start(vcpu);
	for (i = 0; i < MOST; i++) {
		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		expect(i + 1, event.seq);
		event_continue(&peer, &event);
	}
	event_expect_none(&peer);
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
}

/* Nobody gets a pause that the device manager no longer allows. */
static void test_disallowed(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	int i;

	for (i = 0; i < 3; i++)
		vcpu_pause(&peer, 0);
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_PAUSE, 0));
	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	event_expect_none(&peer);
	/* They are forgotten, not put off. */
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_PAUSE, 1));
	vmm_vcpu_stop(vcpu);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* Pauses that are owed to one session are no debt to the next. */
static void test_next_session(bool allowed)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	int i;

	for (i = 0; i < 3; i++)
		vcpu_pause(&peer, 0);
	peer_close(&peer);
	unhook(vm);
	hook(vm, &peer);
	if (allowed)
		hook_allow_all(vm);
	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_running();
	test_halted();
	test_errors();
	test_disallowed();
	test_next_session(false);
	test_next_session(true);
	return 0;
}
