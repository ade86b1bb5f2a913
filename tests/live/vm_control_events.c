// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_CONTROL_EVENTS: takes the one VM event, and only when it is allowed.
 * What enabling it does is in preunhook.c.
 */
#include <kvmi/table.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static int control(struct peer *peer, uint16_t event, uint8_t enable)
{
	struct kvmi_vm_control_events control = {
		.event_id = event,
		.enable = enable,
	};

	return __peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control,
			      sizeof(control), NULL, 0);
}

int main(void)
{
	struct kvmi_vm_control_events ok = { .event_id = KVMI_VM_EVENT_UNHOOK };
	uint8_t longer[16] = { KVMI_VM_EVENT_UNHOOK, [2] = 1, [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	int id;

	expect(0, control(&peer, KVMI_VM_EVENT_UNHOOK, 1));
	expect(0, control(&peer, KVMI_VM_EVENT_UNHOOK, 1));
	expect(0, control(&peer, KVMI_VM_EVENT_UNHOOK, 0));
	expect(0, control(&peer, KVMI_VM_EVENT_UNHOOK, 0));
	cell("message:VM_CONTROL_EVENTS:ok");

	expect(-KVM_EINVAL, control(&peer, KVMI_VM_EVENT_UNHOOK, 2));
	expect(-KVM_EINVAL, control(&peer, KVMI_VM_EVENT_UNHOOK, 0xff));
	for (id = 1; id < 64; id++)
		expect(-KVM_EINVAL, control(&peer, id, 1));
	expect(-KVM_EINVAL, control(&peer, 0xffff, 1));
	peer_expect_padding(&peer, KVMI_VM_CONTROL_EVENTS, &ok, sizeof(ok), 3,
			    8);
	cell("message:VM_CONTROL_EVENTS:EINVAL");

	expect(0, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 0));
	expect(-KVM_EPERM, control(&peer, KVMI_VM_EVENT_UNHOOK, 1));
	cell("message:VM_CONTROL_EVENTS:EPERM");
	expect(-KVM_EINVAL, control(&peer, KVMI_VM_EVENT_UNHOOK, 2));
	expect(0, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 1));

	peer_command(&peer, KVMI_VM_CONTROL_EVENTS, NULL, 0, NULL, 0);
	peer_command(&peer, KVMI_VM_CONTROL_EVENTS, longer, sizeof(longer),
		     NULL, 0);
	hooked_end(vm, &peer);
	return 0;
}
