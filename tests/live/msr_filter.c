// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMM's own MSR filter beside the MSR event: the event comes first, then
 * the filter decides, also one that came later; the VMM that wants to answer
 * for the MSR itself gets the value of the tool.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

#define VALUE	0x23456000

/* Writes of the MSR are denied, or nothing is. */
static void set_filter(struct vmm *vm, bool deny)
{
	static uint8_t none;
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = KIND_MSR,
			.nmsrs = deny,
			.bitmap = &none,
		},
	};

	must(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter));
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    struct event *event)
{
	vmm_vcpu_allow(vcpu, 1);
	event_receive(peer, KVMI_VCPU_EVENT_MSR, event);
	expect(KIND_MSR, event->msr.msr);
}

static void reply(struct peer *peer, const struct event *event, uint64_t value)
{
	event_answer_data(peer, event, KVMI_EVENT_ACTION_CONTINUE, &value, 8);
}

static void test_later(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	uint64_t value;

	note("a filter comes and goes");
	vmm_vcpu_load_long(vcpu, GUEST_MSR);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, GUEST_MSR, 1);
	receive(vcpu, &peer, &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	value = state->result;

	set_filter(vm, true);
	receive(vcpu, &peer, &event);
	expect(value, event.msr.old_value);
	event_continue(&peer, &event);
	wait_for(state->executions == 2);
	expect(1, state->faults);
	/* It denies the value that is there already, too. */
	receive(vcpu, &peer, &event);
	expect(value, event.msr.old_value);
	reply(&peer, &event, value);
	wait_for(state->executions == 3);
	expect(2, state->faults);
	/* And goes on without the tool. */
	kind_control(&peer, 0, GUEST_MSR, 0);
	vmm_vcpu_allow(vcpu, 1);
	wait_for(state->executions == 4);
	expect(3, state->faults);
	expect(-KVM_EPERM, __vcpu_control_msr(&peer, 0, KIND_MSR, 1));

	/* Without it the tool goes on. */
	set_filter(vm, false);
	kind_control(&peer, 0, GUEST_MSR, 1);
	set_filter(vm, true);
	set_filter(vm, false);
	state->faults = 0;
	receive(vcpu, &peer, &event);
	expect(value, event.msr.old_value);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 5);
	expect(event.msr.new_value, state->result);

	/* The session ends under a filter, which stays. */
	set_filter(vm, true);
	unhook(vm);
	peer_close(&peer);
	vmm_vcpu_allow(vcpu, 1);
	wait_for(state->executions == 6);
	expect(1, state->faults);
	set_filter(vm, false);
	state->faults = 0;
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 7);
	hook_expect_usable(vm);
	vmm_destroy(vm);
}

/* The VMM takes the denied writes; this one says that they are done. */
static void test_exit(void)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args[0] = KVM_MSR_EXIT_REASON_FILTER,
	};
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	int i;

	note("the VMM answers for the MSR");
	must(ioctl(vm->fd, KVM_ENABLE_CAP, &cap));
	vmm_vcpu_load_long(vcpu, GUEST_MSR);
	kind_control(&peer, 0, GUEST_MSR, 1);
	set_filter(vm, true);
	for (i = 1; i < 4; i++) {
		vmm_vcpu_start(vcpu);
		receive(vcpu, &peer, &event);
		reply(&peer, &event, VALUE + i);
		wait_for(vcpu->exit_reason || vcpu->error);
		expect(KVM_EXIT_X86_WRMSR, vcpu->exit_reason);
		expect(KIND_MSR, vcpu->run->msr.index);
		expect(VALUE + i, vcpu->run->msr.data);
		vmm_vcpu_stop(vcpu);
		vcpu->exit_reason = 0;
		vmm_vcpu_start(vcpu);
		vmm_wait_executions(vcpu, i);
		event_expect_none(&peer);
		expect(0, state->result);
		vmm_vcpu_stop(vcpu);
	}
	hooked_end(vm, &peer);
}

int main(void)
{
	test_later();
	test_exit();
	return 0;
}
