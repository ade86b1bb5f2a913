// SPDX-License-Identifier: GPL-2.0-only
/*
 * A migration between two QEMUs while "kvmi trace" has breakpoints in the guest:
 * it waits until the trace has left, the guest arrives with its own code and
 * runs, and there a tool is told the start time that the guest came with. The
 * source lets nobody in. A migration that is cancelled, or that fails, leaves a
 * source that is traced again.
 *
 * lab: calm timeout=240
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/command.h"
#include "../lib/test.h"
#include "../lib/tool.h"
#include "../lib/vmm.h"

static uint8_t code[4096];

static size_t code_size(void)
{
	return guest_events.end - guest_events.code;
}

static uint8_t *code_now(struct bare *bare)
{
	return bare->memory + GUEST_EVENTS;
}

static void watch(struct bare *bare, struct command *trace)
{
	int i;

	command_start(trace, "trace -s %s --json breakpoint 0x%lx",
		      bare->qemu.socket, vmm_kind_rip(GUEST_NOP));
	for (i = 0; i < 4; i++)
		expect_true(command_line(trace, DEADLINE_MS));
	expect_true(memcmp(code, code_now(bare), code_size()));
}

static void expect_running(struct bare *bare)
{
	int i;

	for (i = 0; i < 2; i++) {
		uint64_t before = bare_state(bare, i)->executions;

		wait_for(bare_state(bare, i)->executions > before + 2);
		expect(0, bare_state(bare, i)->wrong);
		expect(0, bare_state(bare, i)->traps);
	}
}

static void expect_text(struct qemu *qemu, const char *text,
			const char *command, const char *member)
{
	const char *said = qmp_ask(&qemu->qmp, command, NULL, member);

	if (strcmp(text, said))
		fail("%s: %s, not %s", command, said, text);
}

static void migrate(struct qemu *qemu, const char *uri)
{
	char arguments[160];

	snprintf(arguments, sizeof(arguments), "{ 'uri': '%s' }", uri);
	qmp(&qemu->qmp, "migrate", arguments);
}

static void wait_status(struct qemu *qemu, const char *status)
{
	char want[64];

	snprintf(want, sizeof(want), "{\"status\":\"%s\"}", status);
	while (strcmp(want, qmp_event(&qemu->qmp, "MIGRATION")))
		;
}

static void expect_asked(struct qemu *qemu)
{
	const char *event = qmp_event(&qemu->qmp,
				      "INTROSPECTION_UNHOOK_PENDING");

	expect_true(strstr(event, "\"migrate\""));
}

static int64_t start_time(struct qemu *qemu)
{
	return atoll(qmp_ask(&qemu->qmp, "query-introspection", NULL,
			     "start-time"));
}

/* The trace has left in order, and the guest runs on as before. */
static void expect_left(struct bare *bare, struct command *trace)
{
	expect(0, command_wait(trace));
	expect_bytes(code, code_now(bare), code_size());
}

static void test_failed(struct bare *source)
{
	static struct command trace;
	struct tool deaf;
	char path[100], uri[110];

	note("to nobody");
	watch(source, &trace);
	migrate(&source->qemu, "unix:/tmp/kvmi-nobody");
	wait_status(&source->qemu, "failed");
	/* There was no migration to wait for: the trace stays. */
	expect_text(&source->qemu, "hooked", "query-introspection", "state");

	note("cancelled");
	snprintf(path, sizeof(path), "%s/deaf", source->qemu.folder);
	snprintf(uri, sizeof(uri), "unix:%s", path);
	tool_listen(&deaf, path);
	migrate(&source->qemu, uri);
	expect_asked(&source->qemu);
	qmp(&source->qemu.qmp, "migrate_cancel", NULL);
	wait_status(&source->qemu, "cancelled");
	tool_close(&deaf);
	expect_left(source, &trace);
	expect_running(source);
	expect_text(&source->qemu, "running", "query-status", "status");
}

static void test_migration(struct bare *source, struct bare *target)
{
	static struct command trace;
	int64_t begin = start_time(&source->qemu);
	uint64_t before[2];
	struct tool tool;
	int i;

	note("migration");
	expect_true(begin != start_time(&target->qemu));
	expect_text(&target->qemu, "held", "query-introspection", "state");
	watch(source, &trace);
	migrate(&source->qemu, target->more[1]);
	expect_asked(&source->qemu);
	wait_status(&source->qemu, "completed");
	expect_left(source, &trace);

	tool_listen(&tool, target->qemu.socket);
	tool_session_again(&tool);
	expect(begin, tool.hello.start_time);
	expect_bytes(code, code_now(target), code_size());
	for (i = 0; i < 2; i++) {
		before[i] = bare_state(source, i)->executions;
		expect_true(bare_state(target, i)->executions >= before[i]);
	}
	expect_running(target);
	for (i = 0; i < 2; i++)
		expect(before[i], bare_state(source, i)->executions);
	tool_close(&tool);
	expect_text(&source->qemu, "postmigrate", "query-status", "status");
	expect_text(&source->qemu, "held", "query-introspection", "state");

	note("a trace on the other side");
	watch(target, &trace);
	qmp(&target->qemu.qmp, "stop", NULL);
	expect_left(target, &trace);
}

static void events_on(struct qemu *qemu)
{
	qmp(&qemu->qmp, "migrate-set-capabilities",
	    "{ 'capabilities': [ { 'capability': 'events', 'state': true } ] }");
}

int main(void)
{
	struct bare source = { 0 }, target = { .more = { "-incoming" } };
	char uri[128];
	int i;

	expect_true(code_size() <= sizeof(code));
	qemu_prepare(&source.qemu);
	bare_start(&source, "");
	events_on(&source.qemu);
	memcpy(code, code_now(&source), code_size());
	for (i = 0; i < 2; i++) {
		bare_prepare(&source, i, GUEST_NOP);
		bare_allow(&source, i, 1ull << 60);
	}
	test_failed(&source);

	sleep_ms(1100);
	qemu_prepare(&target.qemu);
	snprintf(uri, sizeof(uri), "unix:%s/migration", target.qemu.folder);
	target.more[1] = uri;
	bare_receive(&target, "");
	test_migration(&source, &target);
	bare_quit(&target);
	bare_quit(&source);
	return 0;
}
