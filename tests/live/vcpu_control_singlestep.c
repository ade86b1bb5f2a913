// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_CONTROL_SINGLESTEP: its errors, and what it forbids meanwhile. What it
 * switches is in event_singlestep.c and step_trace.c.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

/* The device manager's debugger has the flag that we need. */
static void test_debugger(struct peer *peer, struct vmm_vcpu *vcpu)
{
	struct kvm_guest_debug debug = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};

	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug));
	expect(-KVM_EBUSY, __vcpu_control_singlestep(peer, 0, 1));
	cell("message:VCPU_CONTROL_SINGLESTEP:EBUSY");
	vcpu_control_singlestep(peer, 0, 0);
	debug.control = 0;
	must(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug));
	vcpu_control_singlestep(peer, 0, 1);
	vcpu_control_singlestep(peer, 0, 0);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
}

static void test_ok(struct peer *peer, struct vmm_vcpu *vcpu)
{
	struct kvmi_vcpu_control_singlestep ok = { .enable = 0 };
	uint8_t longer[16] = { 0, [8] = 0xff };
	struct event event;

	vcpu_control_singlestep(peer, 0, 0);
	vcpu_pause(peer, 0);
	event_receive(peer, KVMI_VCPU_EVENT_PAUSE, &event);
	vcpu_control_singlestep(peer, 0, 1);
	vcpu_control_singlestep(peer, 0, 1);
	cell("message:VCPU_CONTROL_SINGLESTEP:ok");
	expect(-KVM_EBUSY, __vcpu_inject(peer, 0, 6, 0, 0));
	vcpu_control_singlestep(peer, 0, 0);
	event_continue(peer, &event);
	vcpu_command(peer, 0, KVMI_VCPU_CONTROL_SINGLESTEP, NULL, 0, NULL, 0);
	vcpu_command(peer, 0, KVMI_VCPU_CONTROL_SINGLESTEP, longer,
		     sizeof(longer), NULL, 0);
	vmm_expect_alive(vcpu);
	event_expect_none(peer);

	expect(-KVM_EINVAL, __vcpu_control_singlestep(peer, 0, 2));
	expect(-KVM_EINVAL, __vcpu_control_singlestep(peer, 0, 0xff));
	vcpu_expect_padding(peer, KVMI_VCPU_CONTROL_SINGLESTEP, &ok,
			    sizeof(ok), 1, 8);
	cell("message:VCPU_CONTROL_SINGLESTEP:EINVAL");
}

static void test_not_allowed(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);

	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_SINGLESTEP, 0));
	expect(-KVM_EPERM, __vcpu_control_singlestep(&peer, 0, 1));
	expect(-KVM_EPERM, __vcpu_control_singlestep(&peer, 0, 0));
	cell("message:VCPU_CONTROL_SINGLESTEP:EPERM");
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);

	if (step_supported(&peer)) {
		test_ok(&peer, vcpu);
		test_debugger(&peer, vcpu);
		cell("skip:message:VCPU_CONTROL_SINGLESTEP:EOPNOTSUPP");
	} else {
		expect(-KVM_EOPNOTSUPP,
		       __vcpu_control_singlestep(&peer, 0, 1));
		cell("message:VCPU_CONTROL_SINGLESTEP:EOPNOTSUPP");
	}
	hooked_end(vm, &peer);
	test_not_allowed();
	return 0;
}
