// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM itself asks of KVM, guest debugging and an MSR filter, goes
 * together with a session, whichever comes first. What each of the two says
 * about one MSR is in msr_filter.c.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

static void set_debug(struct vmm_vcpu *vcpu, uint32_t control)
{
	struct kvm_guest_debug debug = { .control = control };

	must(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug));
}

static void set_filter(struct vmm *vm)
{
	static uint8_t none[8];
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = 0x174,
			.nmsrs = 3,
			.bitmap = none,
		},
	};

	must(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter));
}

static void restart(struct vmm_vcpu *vcpu, uint32_t control)
{
	vmm_vcpu_stop(vcpu);
	set_debug(vcpu, control);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
}

/* Both owners of INT3 and of MSRs at a time; neither takes the other's. */
static void test_watched(void)
{
	const uint32_t debug = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;

	vmm_vcpu_load_long(vcpu, GUEST_MSR);
	set_debug(vcpu, debug);
	kind_control(&peer, 0, GUEST_MSR, 1);
	kind_control(&peer, 0, GUEST_INT3, 1);
	/* Of other MSRs. */
	set_filter(vm);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_MSR, &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(state->wanted, state->result);

	/* The MSR that the filter denies is no event, and a fault. */
	state->msr = 0x174;
	vmm_vcpu_allow(vcpu, 1);
	wait_for(state->executions == 2);
	expect(1, state->faults);
	event_expect_none(&peer);

	/* INT3: the tool first, then the VMM. */
	state->kind = GUEST_INT3;
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_BREAKPOINT, &event);
	event_continue(&peer, &event);
	wait_for(vcpu->exit_reason || vcpu->error);
	expect(KVM_EXIT_DEBUG, vcpu->exit_reason);
	vmm_vcpu_stop(vcpu);
	unhook(vm);
	peer_close(&peer);
	vcpu->exit_reason = 0;
	vmm_vcpu_start(vcpu);
	wait_for(vcpu->exit_reason || vcpu->error);
	expect(KVM_EXIT_DEBUG, vcpu->exit_reason);
	vmm_vcpu_stop(vcpu);
	vcpu->exit_reason = 0;
	set_debug(vcpu, 0);
	vmm_vcpu_start(vcpu);
	wait_for(state->executions == 3);
	expect(1, state->traps);
	vmm_destroy(vm);
}

int main(void)
{
	const uint32_t debug = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	hook_require(vm);
	set_filter(vm);
	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	restart(vcpu, debug);

	hook(vm, &peer);
	hook_allow_all(vm);
	vmm_expect_alive(vcpu);
	restart(vcpu, 0);
	peer_expect_open(&peer);
	restart(vcpu, debug);
	set_filter(vm);
	vmm_expect_alive(vcpu);
	unhook(vm);
	vmm_expect_alive(vcpu);
	restart(vcpu, 0);
	peer_close(&peer);

	hook(vm, &peer);
	hooked_end(vm, &peer);
	test_watched();
	return 0;
}
