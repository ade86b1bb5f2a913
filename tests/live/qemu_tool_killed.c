// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool that is killed, at any moment: before, in and after the handshake,
 * with commands under way. The guest runs on, QEMU connects to the next tool,
 * and nothing is left behind in QEMU or the kernel.
 *
 * lab: calm timeout=180
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/qemu.h"
#include "../lib/resources.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define ROUNDS		60
#define KERNEL_GPA	(16ul << 20)	/* without its randomisation */

/* Does all that a tool does, as fast as it can, until it is killed. */
static void work(struct tool *tool, volatile int *reached)
{
	struct kvmi_vm_control_events control = { KVMI_VM_EVENT_UNHOOK, 1,
						  0, 0 };
	uint8_t page[4096];
	uint64_t gfn;

	*reached = 1;
	while (__tool_accept(tool, DEADLINE_MS))
		;
	*reached = 2;
	tool_answer(tool, NULL);
	*reached = 3;
	peer_expect_open(&tool->peer);
	*reached = 4;
	__peer_command(&tool->peer, KVMI_VM_CONTROL_EVENTS, &control,
		       sizeof(control), NULL, 0);
	for (gfn = 0;; gfn = (gfn + 1) % 0x10000)
		if (!__peer_read(&tool->peer, gfn << 12, page, 4096))
			*reached = 5;
}

/* Returns how far the tool had come. */
static int one_round(struct tool *tool, volatile int *reached, int i)
{
	static const int from[] = { 0, 0, 4, 2 };
	int pid;

	*reached = 0;
	pid = must(fork());
	if (!pid) {
		/* One round in four dies inside its own answer. */
		if (i % 4 == 1) {
			while (__tool_accept(tool, DEADLINE_MS))
				;
			*reached = 2;
			peer_write(&tool->peer, "\30\0\0\0", i % 5);
			raise(SIGKILL);
		}
		work(tool, reached);
	}
	if (i % 4 != 1) {
		/* The fourth kind dies at the very end of the handshake. */
		wait_for(*reached >= from[i % 4]);
		if (i % 4 != 3)
			sleep_ms(rand() % 60);
		must(kill(pid, SIGKILL));
	}
	expect(128 + SIGKILL, wait_child(pid));
	return *reached;
}

int main(void)
{
	struct qemu_options options = { .object = "", .append = "nokaslr load=busy" };
	volatile int *reached = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int i, count[6] = { 0 };
	struct resources before;
	struct qemu qemu;
	struct tool tool;

	expect_true(reached != MAP_FAILED);
	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 3);
	tool_session_again(&tool);
	resources_take(&before, qemu.pid);
	peer_close(&tool.peer);

	srand(2);
	for (i = 0; i < ROUNDS; i++)
		count[one_round(&tool, reached, i)]++;
	note("died before %d, in handshake %d + %d, hooked %d + %d",
	     count[0] + count[1], count[2], count[3], count[4], count[5]);
	qemu_expect_alive(&qemu);

	/* The next tool finds all as the first did. */
	tool_session_again(&tool);
	tool_search(&tool, KERNEL_GPA, "Linux version 6.");
	expect(0, resources_settle(&before, qemu.pid));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	tool_close(&tool);
	return 0;
}
