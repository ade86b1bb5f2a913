// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stock Debian guest with a VM of its own, on vCPUs like the host's. While it
 * is hooked its VM gets KVM_EXIT_FAIL_ENTRY, and the guest is as well as ever;
 * when the tool has left, the same VM runs on.
 *
 * lab: calm timeout=240
 */
#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define RUNS	"vm: ran "
#define FAILS	"vm: KVM_EXIT_FAIL_ENTRY"

int main(void)
{
	struct qemu_options options = { .object = "", .append = "load=vm" };
	struct qemu qemu;
	struct tool tool;
	int runs, fails;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, RUNS, 3);
	expect(0, file_count(qemu.console, FAILS));
	note("the guest has a VM");

	/* HOOK can meet a vCPU in there; QEMU comes again then. */
	tool_listen(&tool, qemu.socket);
	tool_session_again(&tool);
	qemu_wait_console(&qemu, FAILS, 2);
	runs = file_count(qemu.console, RUNS);
	note("hooked: its VM does not start");
	qemu_expect_alive(&qemu);
	qemu_wait_console(&qemu, FAILS, 4);
	expect(runs, file_count(qemu.console, RUNS));
	peer_expect_open(&tool.peer);

	tool_close(&tool);
	qemu_wait_console(&qemu, RUNS, runs + 3);
	fails = file_count(qemu.console, FAILS);
	note("unhooked: it runs on");
	qemu_wait_console(&qemu, RUNS, runs + 5);
	expect(fails, file_count(qemu.console, FAILS));
	expect(0, file_count(qemu.console, "vm: exit reason"));
	qemu_quit(&qemu);
	return 0;
}
