// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a hooked VM: a reset cuts the connection and comes back as a
 * later run of the guest; quit and SIGKILL end it at once; the guest's own
 * power-off works.
 *
 * lab: calm timeout=180
 */
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "../lib/qemu.h"
#include "../lib/resources.h"
#include "../lib/test.h"
#include "../lib/tool.h"

/*
 * The firmware resets the machine once more by itself when it finds that it
 * has run before: the session to keep is the last one.
 */
static void session_until(struct qemu *qemu, struct tool *tool,
			  const char *text, int count)
{
	struct pollfd p = { 0 };

	tool_session_again(tool);
	while (file_count(qemu->console, text) < count) {
		p.fd = tool->peer.fd;
		if (poll(&p, 1, 20) == 1)
			tool_session_again(tool);
	}
}

static void test_reset(struct qemu *qemu, struct tool *tool)
{
	int64_t first = tool->hello.start_time;

	note("reset");
	qemu_wait_console(qemu, "beacon: ", 3);
	qmp(&qemu->qmp, "system_reset", NULL);
	peer_expect_closed(&tool->peer);
	session_until(qemu, tool, "beacon: at ", 2);
	expect_true(tool->hello.start_time > first);
	peer_expect_open(&tool->peer);

	/* Again at once: still later. */
	first = tool->hello.start_time;
	qmp(&qemu->qmp, "system_reset", NULL);
	peer_expect_closed(&tool->peer);
	tool_session_again(tool);
	expect_true(tool->hello.start_time > first);
}

static void start(struct qemu *qemu, struct tool *tool, const char *append)
{
	struct qemu_options options = { .object = "", .append = append };

	qemu_prepare(qemu);
	tool_listen(tool, qemu->socket);
	qemu_start(qemu, &options);
	tool_session(tool);
}

static void finish(struct qemu *qemu, struct tool *tool)
{
	peer_expect_closed(&tool->peer);
	tool_close(tool);
	qemu_kill(qemu);
}

int main(void)
{
	struct resources before;
	struct qemu qemu;
	struct tool tool;
	uint64_t begin;

	resources_take(&before, 0);
	start(&qemu, &tool, NULL);
	test_reset(&qemu, &tool);

	note("quit");
	begin = now_ms();
	qmp(&qemu.qmp, "quit", NULL);
	expect(0, qemu_wait(&qemu));
	expect_true(now_ms() - begin < PROMPT_MS);
	finish(&qemu, &tool);

	note("kill");
	start(&qemu, &tool, NULL);
	sleep_ms(500);
	must(kill(qemu.pid, SIGKILL));
	expect(128 + SIGKILL, qemu_wait(&qemu));
	finish(&qemu, &tool);

	note("power-off");
	start(&qemu, &tool, "beacon.seconds=2");
	qemu_wait_console(&qemu, "guest: powering off", 1);
	expect(0, qemu_wait(&qemu));
	finish(&qemu, &tool);
	expect(0, resources_settle(&before, 0));
	return 0;
}
