// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi shell" and several verbs in one call with a Debian guest: they have one
 * connection; while nobody types QEMU can stop the guest at once, and the shell
 * has it again when it runs; also while a verb watches it. "kvmi list" tells who
 * comes. Before the guest's first instruction each verb answers or says why not,
 * and of a stopped one too.
 *
 * lab: calm aside timeout=240
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../lib/command.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

struct shell {
	struct command command;
	int input;
};

static void shell_start(struct shell *shell, const struct qemu *qemu,
			const char *options)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/input", qemu->folder);
	must(mkfifo(path, 0600));
	/* Both ends, for else each waits for the other. */
	shell->input = must(open(path, O_RDWR | O_CLOEXEC));
	command_start(&shell->command, "shell -s %s %s <%s 2>&1", qemu->socket,
		      options, path);
}

static void type(struct shell *shell, const char *line)
{
	dprintf(shell->input, "%s\n", line);
}

/* The next line with this text; those before it do not matter. */
static const char *wait_line(struct shell *shell, const char *text)
{
	const char *line;

	do {
		line = command_line(&shell->command, 2 * DEADLINE_MS);
		if (!line)
			fail("the shell does not say: %s", text);
	} while (!strstr(line, text));
	return line;
}

/* How often this has happened since it was asked last. */
static int happened(struct qemu *qemu, const char *event)
{
	int count = 0;

	qmp(&qemu->qmp, "query-status", NULL);
	for (; qmp_events(&qemu->qmp, event); count++)
		qmp_event(&qemu->qmp, event);
	return count;
}

static int connections(struct qemu *qemu)
{
	return happened(qemu, "INTROSPECTION_CONNECTED");
}

static void expect_status(struct qemu *qemu, const char *status)
{
	expect(0, strcmp(status, qmp_ask(&qemu->qmp, "query-status", NULL,
					 "status")));
}

/* None of its vCPUs has ever run. */
static void test_before_start(struct qemu *qemu)
{
	static const struct {
		const char *words;
		int status;
		const char *says;
	} verbs[] = {
		{ "list", 0, QEMU_UUID },
		{ "info", 0, "vCPUs:      2" },
		{ "read --hex 0xffff0 16", 0, "00000000000ffff0  ea 5b" },
		{ "regs", 0, "16-bit not started" },
		{ "regs --json", 0, "\"started\": false" },
		{ "regs --vcpu 1", 1, "has not started" },
		{ "translate 0xffff0", 0, "0xffff0" },
		{ "search --first --end 1M SeaBIOS", 0, "1 found" },
		{ "write 0x9000 61", 0, "wrote 1" },
		{ "trace --quiet --seconds 1 cr3", 0, "0     1." },
		{ "pause --seconds 0", 1, "let it run" },
		{ "step", 1, "let it run" },
		{ "profile", 1, "wait until it has booted" },
	};
	const char *output;
	uint64_t begin;
	size_t i;

	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		note("%s", verbs[i].words);
		begin = now_ms();
		output = command_output(verbs[i].status, "%s -s %s 2>&1",
					verbs[i].words, qemu->socket);
		if (!strstr(output, verbs[i].says))
			fail("it does not say '%s': %s", verbs[i].says, output);
		expect_true(now_ms() - begin < PROMPT_MS);
	}
	expect_status(qemu, "prelaunch");
}

/* QEMU does not connect, so all that can be told is why. */
static void test_stopped(struct qemu *qemu)
{
	static const char *const verbs[] = {
		"info", "read --hex 0 16", "regs", "translate 0",
		"search --first x", "write 0x9000 61", "trace cr3", "pause",
		"step", "profile",
	};
	const char *output;
	size_t i;

	note("verbs on a stopped VM");
	qmp(&qemu->qmp, "stop", NULL);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		output = command_output(3, "%s -s %s --timeout 1 2>&1",
					verbs[i], qemu->socket);
		expect_true(strstr(output, "A VM that is stopped"));
	}
	output = command_output(3, "list -s %s --timeout 1 2>&1", qemu->socket);
	expect_true(strstr(output, "a stopped one does not"));
	qmp(&qemu->qmp, "cont", NULL);
	command_output(0, "info -s %s", qemu->socket);
}

static void test_chain(struct qemu *qemu)
{
	const char *output;

	note("several verbs");
	connections(qemu);
	output = command_output(0, "regs -s %s --vcpu 0 , translate 0xffffffff81000000 , info , pause --seconds 0 , regs --vcpu 1",
				qemu->socket);
	expect_true(strstr(output, "VCPU 0           VCPU 1"));
	expect_true(strstr(output, QEMU_UUID));
	expect(1, connections(qemu));
	command_output(2, "regs -s %s , read x", qemu->socket);
	expect(1, connections(qemu));
}

static void expect_let_go(struct qemu *qemu, uint64_t begin)
{
	const char *event;

	note("QEMU was held up for %d ms", (int)(now_ms() - begin));
	/* Much less than unhook_timeout. */
	expect_true(now_ms() - begin < PROMPT_MS);
	expect_status(qemu, "paused");
	event = qmp_event(&qemu->qmp, "INTROSPECTION_DISCONNECTED");
	if (!strstr(event, "\"unhooked\""))
		fail("the shell has not left by itself: %s", event);
}

/* What comes after the verb before has ended. */
static void wait_idle(struct shell *shell)
{
	type(shell, "help info");
	wait_line(shell, "--help");
}

static void test_idle(struct qemu *qemu, struct shell *shell)
{
	uint64_t begin;

	note("stop while nobody types");
	begin = now_ms();
	qmp(&qemu->qmp, "stop", NULL);
	expect_let_go(qemu, begin);
	wait_line(shell, "its QEMU wants to stop");
	begin = now_ms();
	type(shell, "-info --timeout 2");
	wait_line(shell, "A VM that is stopped");
	expect_true(now_ms() - begin < PROMPT_MS);
	qmp(&qemu->qmp, "cont", NULL);
	wait_line(shell, "is back: its run goes on");
	expect_status(qemu, "running");
	type(shell, "regs --vcpu 1");
	wait_line(shell, "VCPU 1");
	expect(1, connections(qemu));
	qemu_expect_alive(qemu);
}

static void test_in_verb(struct qemu *qemu, struct shell *shell)
{
	uint64_t begin;

	note("stop while a verb watches");
	type(shell, "-trace --quiet --verbose cr3");
	wait_line(shell, "watching");
	sleep_ms(200);
	begin = now_ms();
	qmp(&qemu->qmp, "stop", NULL);
	expect_let_go(qemu, begin);
	wait_line(shell, "PER SECOND");
	qmp(&qemu->qmp, "cont", NULL);
	wait_line(shell, "is back: its run goes on");
	connections(qemu);
	qemu_expect_alive(qemu);
}

static void test_shell(struct qemu *qemu)
{
	static struct shell shell;

	note("shell");
	happened(qemu, "INTROSPECTION_DISCONNECTED");
	connections(qemu);
	shell_start(&shell, qemu, "");
	type(&shell, "info");
	wait_line(&shell, QEMU_UUID);
	type(&shell, "regs --vcpu 1 # the second");
	wait_line(&shell, "VCPU 1");
	type(&shell, "-regs --nothing");
	wait_line(&shell, "unrecognized");
	type(&shell, "read --hex 0xffff0 16");
	wait_line(&shell, "00000000000ffff0");
	type(&shell, "trace --quiet --seconds 1 cr3");
	wait_line(&shell, "cr3 ");
	type(&shell, "pause --seconds 0");
	wait_line(&shell, "VCPU 1");
	expect(1, connections(qemu));
	expect(0, happened(qemu, "INTROSPECTION_DISCONNECTED"));

	wait_idle(&shell);
	test_idle(qemu, &shell);
	test_in_verb(qemu, &shell);

	note("reset");
	wait_idle(&shell);
	qmp(&qemu->qmp, "system_reset", NULL);
	wait_line(&shell, "has ended");
	wait_line(&shell, "is back: it was reset");
	type(&shell, "quit");
	expect(0, command_wait(&shell.command));
	close(shell.input);
}

int main(void)
{
	struct qemu_options options = {
		.object = "", .append = "nokaslr beacon.spin=1",
		.stopped = true,
	};
	struct qemu qemu;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	test_before_start(&qemu);
	qmp(&qemu.qmp, "cont", NULL);
	qemu_wait_console(&qemu, "beacon: ", 2);
	test_chain(&qemu);
	test_stopped(&qemu);
	test_shell(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
	return 0;
}
