// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRASH with our QEMU: the guest has panicked. QEMU says GUEST_PANICKED and on
 * which vCPU, and does what "-action panic=" or "set-action" want; it does not
 * reset the guest. A triple fault of a hooked guest is a reset and no panic.
 *
 * lab: calm timeout=240
 */
#include <stdio.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/event.h"
#include "../lib/test.h"
#include "../lib/tool.h"

/* Fails unless it is the next panic, and there was nothing like a reset. */
static void expect_panic(struct qemu *qemu, int vcpu, const char *action)
{
	const char *got = qmp_event(&qemu->qmp, "GUEST_PANICKED");
	char want[80];

	note("GUEST_PANICKED %s", got);
	snprintf(want, sizeof(want), "\"cpu-index\":%d", vcpu);
	expect_true(strstr(got, want));
	expect_true(strstr(got, "\"type\":\"introspection\""));
	snprintf(want, sizeof(want), "\"action\":\"%s\"", action);
	expect_true(strstr(got, want));
	expect(0, qmp_events(&qemu->qmp, "GUEST_PANICKED"));
	expect(0, qmp_events(&qemu->qmp, "RESET"));
}

static void expect_status(struct qemu *qemu, const char *want)
{
	const char *got = qmp_ask(&qemu->qmp, "query-status", NULL, "status");

	if (strcmp(want, got))
		fail("the status is %s, not %s", got, want);
}

static void expect_shutdown(struct qemu *qemu, const char *reason, int status)
{
	const char *got = qmp_event(&qemu->qmp, "SHUTDOWN");

	note("SHUTDOWN %s", got);
	expect_true(strstr(got, reason));
	qmp_drain(&qemu->qmp);
	expect(0, qmp_events(&qemu->qmp, "GUEST_PANICKED"));
	expect(0, qmp_events(&qemu->qmp, "RESET"));
	expect(0, qmp_events(&qemu->qmp, "SHUTDOWN"));
	expect(status, qemu_wait(qemu));
}

/* The next event of the kind; its instruction is not executed. */
static void crash(struct peer *peer, uint16_t id)
{
	struct event event;

	event_receive(peer, id, &event);
	event_answer(peer, &event, KVMI_EVENT_ACTION_CRASH);
}

/* The firmware switches protection on, and dies of it. */
static void test_firmware(const char *action, int status)
{
	struct qemu_options options = {
		.object = "", .stopped = true, .more = { "-action", action },
	};
	struct qemu qemu;
	struct tool tool;

	note("%s", action);
	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	kind_control(&tool.peer, 0, GUEST_CR0, 1);
	qmp(&qemu.qmp, "cont", NULL);
	crash(&tool.peer, KVMI_VCPU_EVENT_CR);
	expect_panic(&qemu, 0, "poweroff");
	expect_shutdown(&qemu, "\"reason\":\"guest-panic\"", status);
	peer_expect_closed(&tool.peer);
	qemu_kill(&qemu);
	tool_close(&tool);
}

/* It stands, the tool can look at it, and it can go on. */
static void test_pause(struct qemu *qemu, struct peer *peer)
{
	int lines;

	vcpu_pause(peer, 1);
	crash(peer, KVMI_VCPU_EVENT_PAUSE);
	expect_panic(qemu, 1, "pause");
	qmp_event(&qemu->qmp, "STOP");
	expect_status(qemu, "guest-panicked");
	lines = file_count(qemu->console, "beacon: ");
	peer_expect_open(peer);
	sleep_ms(2500);
	expect(lines, file_count(qemu->console, "beacon: "));

	qmp(&qemu->qmp, "set-action", "{ 'panic': 'none' }");
	qmp(&qemu->qmp, "cont", NULL);
	expect_status(qemu, "running");
	qemu_expect_alive(qemu);
}

/* The vCPU comes to its instruction again, and does it then. */
static void test_none(struct qemu *qemu, struct peer *peer)
{
	struct event event;
	uint64_t rip;

	kind_control(peer, 0, GUEST_CR3, 1);
	event_receive(peer, KVMI_VCPU_EVENT_CR, &event);
	rip = event.arch.regs.rip;
	event_answer(peer, &event, KVMI_EVENT_ACTION_CRASH);
	expect_panic(qemu, 0, "run");
	event_receive(peer, KVMI_VCPU_EVENT_CR, &event);
	expect(rip, event.arch.regs.rip);
	kind_control(peer, 0, GUEST_CR3, 0);
	event_continue(peer, &event);
	expect_status(qemu, "running");
	qemu_expect_alive(qemu);
}

static void test_debian(void)
{
	struct qemu_options options = {
		.object = "", .append = "load=busy",
		.more = { "-action", "panic=pause" },
	};
	struct qemu qemu;
	struct tool tool;

	note("panic=pause, and more in turn");
	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	qemu_wait_console(&qemu, "guest: busy on 2 vCPUs", 1);
	test_pause(&qemu, &tool.peer);
	test_none(&qemu, &tool.peer);

	qmp(&qemu.qmp, "set-action", "{ 'panic': 'shutdown' }");
	vcpu_pause(&tool.peer, 1);
	crash(&tool.peer, KVMI_VCPU_EVENT_PAUSE);
	expect_panic(&qemu, 1, "poweroff");
	expect_shutdown(&qemu, "\"reason\":\"guest-panic\"", 0);
	peer_expect_closed(&tool.peer);
	/* It says so once for each vCPU, however often that is. */
	expect(1, file_count(qemu.errors, "crashed the guest on vCPU 1"));
	qemu_kill(&qemu);
	tool_close(&tool);
}

/* Without a single gate the next interrupt is the end. */
static void test_triple_fault(void)
{
	struct bare bare = { 0 };
	struct tool tool;
	const char *got;

	note("triple fault");
	qemu_prepare(&bare.qemu);
	tool_listen(&tool, bare.qemu.socket);
	bare_start(&bare, "");
	tool_session_again(&tool);
	kind_control(&tool.peer, 0, GUEST_CR0, 1);
	memset(bare.memory + GUEST_IDT, 0, 4096);
	got = qmp_event(&bare.qemu.qmp, "RESET");
	note("RESET %s", got);
	expect_true(strstr(got, "\"reason\":\"guest-reset\""));
	peer_expect_closed(&tool.peer);

	/* The firmware starts the kernel anew, and a session is possible. */
	wait_for(*(volatile uint32_t *)(bare.memory + GUEST_MAILBOX) ==
		 GUEST_HERE);
	tool_session_again(&tool);
	expect_status(&bare.qemu, "running");
	expect(0, qmp_events(&bare.qemu.qmp, "GUEST_PANICKED"));
	expect(0, file_count(bare.qemu.errors, "crashed"));
	bare_quit(&bare);
	tool_close(&tool);
}

int main(void)
{
	test_triple_fault();
	test_firmware("panic=exit-failure", 1);
	test_firmware("panic=shutdown", 0);
	test_debian();
	return 0;
}
