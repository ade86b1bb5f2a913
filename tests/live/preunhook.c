// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_INTROSPECTION_PREUNHOOK: its errors, and the event that it sends.
 */
#include <errno.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void control(struct peer *peer, uint8_t enable)
{
	struct kvmi_vm_control_events control = {
		.event_id = KVMI_VM_EVENT_UNHOOK,
		.enable = enable,
	};

	peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct peer peer;

	hook_require(vm);
	expect(-EFAULT, __preunhook(vm));
	cell("ioctl:PREUNHOOK:EFAULT");

	hook(vm, &peer);
	hook_allow_all(vm);
	expect(-ENOENT, __preunhook(vm));
	cell("ioctl:PREUNHOOK:ENOENT");

	/* Allowed is not enabled; enabled it comes, each with the next seq. */
	control(&peer, 1);
	expect(0, __preunhook(vm));
	cell("ioctl:PREUNHOOK:ok");
	expect(1, peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK));
	cell("event:VM_EVENT_UNHOOK:sent");
	expect(0, __preunhook(vm));
	expect(0, __preunhook(vm));
	expect(2, peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK));
	expect(3, peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK));
	peer_expect_open(&peer);

	control(&peer, 0);
	expect(-ENOENT, __preunhook(vm));
	control(&peer, 1);
	expect(0, __preunhook(vm));
	expect(4, peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK));

	/* Disallowing an event that is on switches it off, for good. */
	expect(0, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 0));
	expect(-ENOENT, __preunhook(vm));
	expect(0, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 1));
	expect(-ENOENT, __preunhook(vm));
	control(&peer, 1);
	expect(0, __hook_event(vm, -1, 0));
	expect(-ENOENT, __preunhook(vm));

	/* Nobody there to tell. */
	expect(0, __hook_event(vm, -1, 1));
	control(&peer, 1);
	peer_close(&peer);
	expect(-ENOENT, __preunhook(vm));
	unhook(vm);
	expect(-EFAULT, __preunhook(vm));

	/* The count begins anew with each session, and the event is off. */
	hook(vm, &peer);
	hook_allow_all(vm);
	expect(-ENOENT, __preunhook(vm));
	control(&peer, 1);
	expect(0, __preunhook(vm));
	expect(1, peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK));
	hooked_end(vm, &peer);
	return 0;
}
