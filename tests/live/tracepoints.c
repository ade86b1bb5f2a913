// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events kvmi:* tell the story of a session by the table's names.
 */
#include <stdio.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"
#include "../lib/trace.h"

int main(void)
{
	struct kvmi_vm_control_events control = { KVMI_VM_EVENT_UNHOOK, 1,
						  0, 0 };
	struct vmm *vm = vmm_create(NULL);
	struct peer peer;
	char of_vm[32];
	uint8_t data[16];

	hook_require(vm);
	snprintf(of_vm, sizeof(of_vm), "vm %d ", getpid());
	trace_begin();

	hook(vm, &peer);
	hook_allow_all(vm);
	trace_wait("kvmi_hook", of_vm, 1);
	expect(1, trace_count("kvmi_hook", "deadbeef-"));

	peer_expect_open(&peer);
	expect(-KVM_EINVAL, __peer_read(&peer, 0x1fff, data, 16));
	trace_wait("kvmi_command", "GET_VERSION seq 1 ", 1);
	trace_wait("kvmi_reply", "GET_VERSION seq 1 ", 1);
	trace_wait("kvmi_command", "VM_READ_PHYSICAL seq 2 ", 1);
	trace_wait("kvmi_reply", "VM_READ_PHYSICAL seq 2 err -22", 1);

	peer_command(&peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
	expect(0, __preunhook(vm));
	peer_expect_vm_event(&peer, KVMI_VM_EVENT_UNHOOK);
	trace_wait("kvmi_event", "VM_EVENT_UNHOOK seq 1", 1);

	expect(0, trace_count("kvmi_close", of_vm));
	peer_close(&peer);
	trace_wait("kvmi_close", of_vm, 1);
	expect(0, trace_count("kvmi_unhook", of_vm));
	unhook(vm);
	trace_wait("kvmi_unhook", of_vm, 1);
	trace_end();
	vmm_destroy(vm);
	return 0;
}
