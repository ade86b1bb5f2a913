// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_CONTROL_EVENTS: takes the events of vCPUs, and only when they are
 * allowed. What enabling does is in the tests of the events.
 */
#include <kvmi/table.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static bool is_known(uint16_t id)
{
#define CASE(NAME, ...) case KVMI_##NAME:
	switch (id) {
	KVMI_EVENTS(CASE)
		return id != KVMI_VM_EVENT_UNHOOK;
	default:
		return false;
	}
}

/* Only an Intel CPU without "descriptor-table exiting" refuses an event. */
static void test_unsupported(struct peer *peer)
{
	int r = __vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 1);

	if (r == 0) {
		note("this CPU intercepts descriptor tables");
		cell("skip:message:VCPU_CONTROL_EVENTS:EOPNOTSUPP");
		return;
	}
	expect(-KVM_EOPNOTSUPP, r);
	expect(-KVM_EOPNOTSUPP,
	       __vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_DESCRIPTOR, 0));
	cell("message:VCPU_CONTROL_EVENTS:EOPNOTSUPP");
}

int main(void)
{
	struct kvmi_vcpu_control_events ok = {
		.event_id = KVMI_VCPU_EVENT_CR,
	};
	uint8_t longer[16] = { KVMI_VCPU_EVENT_CR, [2] = 1, [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	int id;

	for (id = 0; id < 64; id++) {
		if (id == KVMI_VCPU_EVENT_DESCRIPTOR)
			continue;
		expect(is_known(id) ? 0 : -KVM_EINVAL,
		       __vcpu_control_events(&peer, 0, id, 1));
		expect(is_known(id) ? 0 : -KVM_EINVAL,
		       __vcpu_control_events(&peer, 0, id, 0));
	}
	cell("message:VCPU_CONTROL_EVENTS:ok");
	test_unsupported(&peer);
	expect(-KVM_EINVAL, __vcpu_control_events(&peer, 0, 0xffff, 1));
	expect(-KVM_EINVAL, __vcpu_control_events(&peer, 0,
						  KVMI_VCPU_EVENT_CR, 2));
	expect(-KVM_EINVAL, __vcpu_control_events(&peer, 0,
						  KVMI_VCPU_EVENT_CR, 0xff));
	vcpu_expect_padding(&peer, KVMI_VCPU_CONTROL_EVENTS, &ok, sizeof(ok),
			    3, 8);
	cell("message:VCPU_CONTROL_EVENTS:EINVAL");

	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_CR, 0));
	expect(-KVM_EPERM, __vcpu_control_events(&peer, 0,
						 KVMI_VCPU_EVENT_CR, 1));
	expect(-KVM_EPERM, __vcpu_control_events(&peer, 0,
						 KVMI_VCPU_EVENT_CR, 0));
	expect(-KVM_EINVAL, __vcpu_control_events(&peer, 0,
						  KVMI_VCPU_EVENT_CR, 2));
	expect(0, __hook_event(vm, KVMI_VCPU_EVENT_CR, 1));
	cell("message:VCPU_CONTROL_EVENTS:EPERM");

	vcpu_expect_error(&peer, 0, KVMI_VCPU_CONTROL_EVENTS, NULL, 0,
			  KVM_EINVAL);
	vcpu_command(&peer, 0, KVMI_VCPU_CONTROL_EVENTS, longer,
		     sizeof(longer), NULL, 0);
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
	return 0;
}
