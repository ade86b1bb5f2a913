// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that is plugged in while the tool is there: it is counted, says
 * -KVM_EAGAIN until the guest starts it, and then gives registers and events
 * like the first one.
 *
 * lab: calm timeout=180
 */
#include "../lib/event.h"
#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

static uint32_t vcpu_count(struct peer *peer)
{
	struct kvmi_vm_get_info_reply info;

	peer_command(peer, KVMI_VM_GET_INFO, NULL, 0, &info, sizeof(info));
	return info.vcpu_count;
}

int main(void)
{
	struct qemu_options options = {
		.object = "", .append = "load=hotplug",
		.more = { "-smp", "1,maxcpus=2" },
	};
	struct kvmi_vcpu_get_registers_reply reply;
	struct kvmi_vcpu_get_registers get = { 0 };
	struct event event;
	struct qemu qemu;
	struct tool tool;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	qemu_wait_console(&qemu, "up on 1 vCPUs", 1);
	expect(1, vcpu_count(&tool.peer));
	vcpu_expect_error(&tool.peer, 1, KVMI_VCPU_GET_REGISTERS, &get,
			  sizeof(get), KVM_EINVAL);

	qmp(&qemu.qmp, "device_add",
	    "{ 'driver': 'host-x86_64-cpu', 'id': 'late', 'socket-id': 0,"
	    "  'core-id': 1, 'thread-id': 0 }");
	expect(2, vcpu_count(&tool.peer));
	vcpu_expect_error(&tool.peer, 1, KVMI_VCPU_GET_REGISTERS, &get,
			  sizeof(get), KVM_EAGAIN);
	note("plugged in, not started");

	qemu_wait_console(&qemu, "guest: 2 vCPUs now", 1);
	vcpu_get_registers(&tool.peer, 1, &reply);
	expect(8, reply.mode);
	vcpu_control_events(&tool.peer, 1, KVMI_VCPU_EVENT_PAUSE, 1);
	vcpu_pause(&tool.peer, 1);
	event_receive(&tool.peer, KVMI_VCPU_EVENT_PAUSE, &event);
	expect(1, event.vcpu);
	expect_true(event.arch.sregs.efer & 0x400);
	event_continue(&tool.peer, &event);
	qemu_expect_alive(&qemu);
	tool_close(&tool);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
