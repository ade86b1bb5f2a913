// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device manager disallows an event that is on, at rest or while one is
 * unanswered: the answer still counts, and no other comes. Allowed again it is
 * off, until the tool switches it on anew.
 */
#include "../lib/event.h"
#include "../lib/test.h"

static const uint64_t kinds[] = { EVENT_KINDS };

static void expect_silent(struct vmm_vcpu *vcpu, struct peer *peer,
			  uint64_t executions)
{
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, executions);
	event_expect_none(peer);
}

static void expect_event(struct vmm_vcpu *vcpu, struct peer *peer,
			 uint64_t kind, struct event *event)
{
	kind_control(peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(peer, kind_event(kind), event);
}

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);

	expect_event(vcpu, &peer, kind, &event);
	expect(0, __hook_event(vm, kind_event(kind), 0));
	expect(-KVM_EPERM, __vcpu_control_events(&peer, 0, kind_event(kind),
						 1));
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect_silent(vcpu, &peer, 2);

	expect(0, __hook_event(vm, kind_event(kind), 1));
	expect_silent(vcpu, &peer, 3);
	expect_event(vcpu, &peer, kind, &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 4);

	expect(0, __hook_event(vm, -1, 0));
	expect_silent(vcpu, &peer, 5);
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
