// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 sessions with a Debian guest that is busy on two vCPUs, each ended by
 * the tool in the middle of its work. What the kernel and QEMU hold after
 * round 20 and round 200 is the same.
 *
 * lab: calm timeout=300
 */
#include <stdlib.h>

#include "../lib/qemu.h"
#include "../lib/resources.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define ROUNDS	200
#define SETTLED	20

static void one_round(struct tool *tool, int i)
{
	struct kvmi_msg_hdr hdr = {
		KVMI_VM_READ_PHYSICAL, sizeof(struct kvmi_vm_read_physical), 1,
	};
	struct kvmi_vm_read_physical read = { .gpa = 1 << 20, .size = 4096 };
	int n;

	tool_session_again(tool);
	for (n = rand() % 10; n; n--) {
		peer_write(&tool->peer, &hdr, sizeof(hdr));
		peer_write(&tool->peer, &read, sizeof(read));
	}
	/* Some sessions end in the middle of a message. */
	if (i % 3 == 0)
		peer_write(&tool->peer, &hdr, 5);
	peer_close(&tool->peer);
}

int main(void)
{
	struct qemu_options options = { .object = "", .append = "load=busy" };
	struct resources settled;
	struct qemu qemu;
	struct tool tool;
	int i;

	srand(3);
	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "guest: busy on 2 vCPUs", 1);
	for (i = 1; i <= ROUNDS; i++) {
		one_round(&tool, i);
		if (i == SETTLED) {
			/* Compared in a session, as the last one is. */
			tool_session_again(&tool);
			resources_take(&settled, qemu.pid);
		}
	}
	note("%d sessions ended", ROUNDS);
	tool_session_again(&tool);
	expect(0, resources_settle(&settled, qemu.pid));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	tool_close(&tool);
	return 0;
}
