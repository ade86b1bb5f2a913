// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool behind a vsock socket, named on the command line and in the monitor:
 * QEMU says where it is, the tool reads the guest, and a powerdown asks it to leave.
 *
 * lab: calm timeout=90
 */
#include <errno.h>
#include <linux/vm_sockets.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define PORT	4321

static void listen_vsock(struct tool *tool)
{
	struct sockaddr_vm address = {
		.svm_family = AF_VSOCK,
		.svm_cid = VMADDR_CID_LOCAL,
		.svm_port = PORT,
	};

	memset(tool, 0, sizeof(*tool));
	tool->peer.fd = -1;
	tool->fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (tool->fd < 0 ||
	    bind(tool->fd, (void *)&address, sizeof(address)))
		skip("no vsock to this machine itself: vsock_loopback");
	must(listen(tool->fd, 1));
}

static void expect_filename(struct qemu *qemu)
{
	const char *all = qmp_ask(&qemu->qmp, "query-chardev", NULL, NULL);

	if (!strstr(all, "vsock:1:4321"))
		fail("query-chardev: %s", all);
}

static void want_unhook(struct peer *peer)
{
	struct kvmi_vm_control_events control = {
		.event_id = KVMI_VM_EVENT_UNHOOK,
		.enable = 1,
	};

	peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
}

static void test_session(struct qemu *qemu, struct tool *tool)
{
	uint8_t reset_vector[16] = { 0 };

	tool_session_again(tool);
	expect(0, strcmp("watched", tool->hello.name));
	expect_filename(qemu);
	/* The firmware's first instruction is a jump. */
	expect(0, __peer_read(&tool->peer, 0xfffffff0, reset_vector,
			      sizeof(reset_vector)));
	expect_true(reset_vector[0] == 0xea || reset_vector[0] == 0xe9 ||
		    reset_vector[0] == 0xeb);
}

static void test_leave(struct qemu *qemu, struct tool *tool)
{
	want_unhook(&tool->peer);
	qmp(&qemu->qmp, "cont", NULL);
	qmp(&qemu->qmp, "system_powerdown", NULL);
	peer_expect_vm_event(&tool->peer, KVMI_VM_EVENT_UNHOOK);
	expect(0, qmp_events(&qemu->qmp, "POWERDOWN"));
	peer_close(&tool->peer);
	qmp_event(&qemu->qmp, "POWERDOWN");
	tool_session_again(tool);
}

int main(void)
{
	struct qemu_options options = {
		.more = { "-chardev",
			  "socket,id=v,type=vsock,cid=1,port=4321,reconnect-ms=50",
			  "-object", "introspection,id=vmi,chardev=v" },
		.stopped = true,
	};
	struct peer_message message;
	struct qemu qemu;
	struct tool tool;
	int r;

	listen_vsock(&tool);
	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	test_session(&qemu, &tool);
	test_leave(&qemu, &tool);
	qemu_quit(&qemu);
	/* vsock has no hang-up as long as this side may write. */
	while (!(r = __peer_receive(&tool.peer, &message)))
		;
	expect_true(r == -EPIPE || r == -ECONNRESET);
	peer_close(&tool.peer);
	close(tool.fd);
	return 0;
}
