// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool that leaves switches its events off and answers the one that it still
 * has, in either order, with the vCPU inside or outside of KVM_RUN: the answer
 * counts, and the next execution raises nothing.
 *
 * lab: short
 */
#include "../lib/event.h"
#include "../lib/test.h"

static const uint64_t kinds[] = {
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_MSR,
};

static void block(struct peer *peer, const struct event *event)
{
	/* It stands at the same place in all events that have it. */
	struct kvmi_vcpu_event_cr_reply reply = {
		.new_val = event->cr.old_value,
	};

	event_answer_data(peer, event, KVMI_EVENT_ACTION_CONTINUE, &reply,
			  sizeof(reply));
}

static void test_kind(uint64_t kind, bool outside, bool off_first)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;

	note("kind %d, %s, %s", (int)kind, outside ? "outside" : "inside",
	     off_first ? "off first" : "answer first");
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);

	if (outside)
		vmm_vcpu_stop(vcpu);
	if (off_first)
		kind_control(&peer, 0, kind, 0);
	block(&peer, &event);
	if (!off_first)
		kind_control(&peer, 0, kind, 0);
	if (outside)
		vmm_vcpu_start(vcpu);
	vmm_wait_executions(vcpu, 1);
	expect(event.cr.old_value, state->result);

	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 2);
	expect(state->wanted, state->result);
	event_expect_none(&peer);
	vmm_vcpu_stop(vcpu);
	hooked_end(vm, &peer);
}

int main(void)
{
	size_t i;
	int n;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (n = 0; n < 4; n++)
			test_kind(kinds[i], n & 1, n & 2);
	return 0;
}
