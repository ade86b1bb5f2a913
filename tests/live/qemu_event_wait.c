// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU stops the VM for a debugger, and answers "info registers" and "quit" in
 * time, while events of its vCPUs are unanswered; when it goes on, the replies
 * are taken, given before, during or after the stop. The tool stays.
 *
 * lab: calm timeout=240
 */
#include <poll.h>

#include "../lib/event.h"
#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

enum { BEFORE, DURING, AFTER, WHENS };

/* 2 s, unless the kernel is slow. */
#define LIMIT_MS	(DEADLINE_MS * 2 / 15)

static void timely(struct qemu *qemu, const char *command,
		   const char *arguments)
{
	uint64_t start = now_ms();

	qmp(&qemu->qmp, command, arguments);
	note("%s: %d ms", command, (int)(now_ms() - start));
	expect_true(now_ms() - start < LIMIT_MS);
}

static void inspect(struct qemu *qemu)
{
	timely(qemu, "human-monitor-command",
	       "{ 'command-line': 'info registers -a' }");
}

/* Answers what comes for a time; the vCPUs run on. */
static void serve(struct peer *peer, int ms)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	uint64_t end = now_ms() + ms;
	struct event event;

	while (now_ms() < end)
		if (peer->nevents || poll(&p, 1, 5)) {
			expect(0, __event_receive(peer, &event));
			event_continue(peer, &event);
		}
}

static void test_stop(struct qemu *qemu, struct peer *peer, uint16_t id,
		      int when)
{
	struct event event;
	uint64_t start;

	event_receive(peer, id, &event);
	if (when == BEFORE)
		event_continue(peer, &event);
	start = now_ms();
	qemu_freeze(qemu);
	expect_true(now_ms() - start < LIMIT_MS);
	inspect(qemu);
	if (when == DURING)
		event_continue(peer, &event);
	qemu_thaw(qemu);
	if (when == AFTER) {
		sleep_ms(50);
		event_continue(peer, &event);
	}
	serve(peer, 300);
}

static void control(struct peer *peer, uint64_t kind, uint8_t enable)
{
	kind_control(peer, 0, kind, enable);
	kind_control(peer, 1, kind, enable);
}

/* The events that came before the switch was off. */
static void drain(struct peer *peer)
{
	serve(peer, 50);
	expect(0, peer->nevents);
}

int main(void)
{
	struct qemu_options options = { .object = "", .append = "load=busy" };
	struct qemu qemu;
	struct tool tool;
	struct event event;
	int when;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	qemu_wait_console(&qemu, "guest: busy on 2 vCPUs", 1);

	for (when = 0; when < WHENS; when++) {
		note("CR3, %d", when);
		control(&tool.peer, GUEST_CR3, 1);
		test_stop(&qemu, &tool.peer, KVMI_VCPU_EVENT_CR, when);
		control(&tool.peer, GUEST_CR3, 0);
		drain(&tool.peer);
		qemu_expect_alive(&qemu);

		note("PAUSE, %d", when);
		vcpu_pause(&tool.peer, 0);
		vcpu_pause(&tool.peer, 1);
		test_stop(&qemu, &tool.peer, KVMI_VCPU_EVENT_PAUSE, when);
		drain(&tool.peer);
		qemu_expect_alive(&qemu);
	}

	control(&tool.peer, GUEST_CR3, 1);
	event_receive(&tool.peer, KVMI_VCPU_EVENT_CR, &event);
	inspect(&qemu);
	timely(&qemu, "quit", NULL);
	expect(0, qemu_wait(&qemu));
	peer_expect_closed(&tool.peer);
	qemu_kill(&qemu);
	tool_close(&tool);
	return 0;
}
