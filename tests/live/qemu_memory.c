// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool looks into a Debian guest: it finds the kernel's banner and changes
 * the string that a program prints; the guest's own console shows it.
 *
 * lab: calm timeout=150
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

/* Where Linux lies without its address randomisation. */
#define KERNEL_GPA	(16ul << 20)

int main(void)
{
	struct qemu_options options = { .object = "", .append = "nokaslr" };
	struct kvmi_vm_get_info_reply info;
	const char *text = "the tool was here";
	char found[32];
	struct qemu qemu;
	struct tool tool;
	uint64_t gpa;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	expect_true(!strcmp(tool.hello.name, "watched"));
	expect(0x6d, tool.hello.uuid[0]);
	expect(0x11, tool.hello.uuid[15]);
	expect_true(tool.hello.start_time > 0);
	expect(256ull << 20, tool.hello.max_gpa);
	note("hooked");

	qemu_wait_console(&qemu, "beacon: ", 3);
	peer_command(&tool.peer, KVMI_VM_GET_INFO, NULL, 0, &info,
		     sizeof(info));
	expect(2, info.vcpu_count);
	gpa = tool_search(&tool, KERNEL_GPA, "Linux version 6.");
	note("the banner is at gpa 0x%llx", (unsigned long long)gpa);

	gpa = qemu_console_number(&qemu, " gpa ");
	expect(0, __peer_read(&tool.peer, gpa, found, 24));
	expect_bytes("all is well in the guest", found, 24);
	expect(0, __peer_put(&tool.peer, gpa, text, strlen(text) + 1));
	qemu_wait_console(&qemu, "beacon: the tool was here ", 2);
	peer_expect_open(&tool.peer);

	/* The tool goes and the guest stays. */
	tool_close(&tool);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
