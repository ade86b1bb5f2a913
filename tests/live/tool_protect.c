// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi protect" on a Debian guest with two modules that attack its kernel. With
 * deny nothing of it has an effect, with report all has, with crash the guest
 * ends; each attempt is told with what it was at, the module and the process.
 *
 * lab: calm aside timeout=240
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define GETPPID		110
#define READY		"pages are locked"
/* Into the body of the function, behind what ftrace patches. */
#define INSIDE		16
#define CR4_SMEP	(1ul << 20)
#define CR4_SMAP	(1ul << 21)

/* The bits of the module's answer, and what the tool calls them. */
static const struct {
	const char *what, *target;
} attacks[] = {
	{ "text", "sys_getppid+0x10" },
	{ "rodata", "sys_call_table+0x370 (" },
	{ "idt", "idt[0x3f]" },
	{ "cr0.wp", "cr0.wp" },
	{ "text", "sys_getppid+0x10" },
	{ "cr4.smep", "cr4.smep" },
	{ "cr4.smap", "cr4.smap" },
	{ "lstar", "lstar" },
	{ "idtr", "idtr" },
	{ "text", "sys_getppid+0x10" },
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))
#define BY_WP	4	/* is tried only if CR0.WP could be cleared */

struct fixture {
	struct qemu qemu;
	struct command protect;
	unsigned long getppid, table;
	unsigned int possible;	/* bits of attacks */
	unsigned int seen;
	int attempts;		/* lines that were told of */
};

static void find_possible(struct fixture *f)
{
	json_object *o = json_tokener_parse(command_output(0, "regs -s %s --json --vcpu 0",
							   f->qemu.socket));
	unsigned long cr4 = strtoul(json_text(json_object_array_get_idx(o, 0),
					    "cr4"), NULL, 0);

	json_object_put(o);
	f->possible = (1u << ATTACKS) - 1;
	if (!(cr4 & CR4_SMEP))
		f->possible &= ~(1u << 5);
	if (!(cr4 & CR4_SMAP))
		f->possible &= ~(1u << 6);
	note("attacks that are possible: 0x%x", f->possible);
}

static void begin(struct fixture *f, const char *mode)
{
	const char *line;

	note("%s", mode);
	f->seen = 0;
	f->attempts = 0;
	command_start(&f->protect, "protect -s %s --json --mode %s 2>&1",
		      f->qemu.socket, mode);
	do {
		line = command_line(&f->protect, 4 * DEADLINE_MS);
		expect_true(line);
	} while (!strstr(line, READY));
	note("%s", line);
}

/* What was tried, by this module, in the process that loaded it. */
static void take_line(struct fixture *f, const char *line, const char *verdict,
		      const char *module)
{
	json_object *o = json_tokener_parse(line);
	const char *by;
	size_t i;

	if (!o)
		fail("this is no JSON: %s", line);
	note("%s", line);
	expect(0, strcmp(verdict, json_text(o, "verdict")));
	expect(0, strcmp("insmod", json_text(o, "comm")));
	/* The kernel's function to write an MSR may be what it calls. */
	by = json_object_object_get(o, "from") ? "from" : "by";
	if (strncmp(module, json_text(o, by), strlen(module)))
		fail("this is not by %s", module);
	for (i = 0; i < ATTACKS; i++)
		if (!strcmp(attacks[i].what, json_text(o, "what")) &&
		    strstr(json_text(o, "target"), attacks[i].target))
			f->seen |= 1u << i;
	f->attempts++;
	json_object_put(o);
}

/* The guest loads it; returns what it says of its effect. */
static int attack(struct fixture *f)
{
	char command[240];
	const char *said;

	snprintf(command, sizeof(command),
		 "insmod /lib/modules/attack.ko text=0x%lx entry=0x%lx && cat /sys/module/attack/parameters/changed && rmmod attack",
		 f->getppid + INSIDE, f->table + 8 * GETPPID);
	said = qemu_run(&f->qemu, 0, command);
	return atoi(said);
}

static void expect_attempts(struct fixture *f, const char *verdict,
			    const char *module, unsigned int want)
{
	const char *line;

	while ((f->seen & want) != want) {
		line = command_line(&f->protect, DEADLINE_MS);
		if (!line)
			fail("it has not told of 0x%x", want & ~f->seen);
		take_line(f, line, verdict, module);
	}
	while ((line = command_line(&f->protect, 500)))
		take_line(f, line, verdict, module);
}

static json_object *end(struct fixture *f)
{
	json_object *o;

	must(kill(f->protect.pid, SIGTERM));
	o = json_tokener_parse(command_line(&f->protect, DEADLINE_MS));
	expect_true(o);
	note("%s", json_object_to_json_string(o));
	expect(true, !command_line(&f->protect, DEADLINE_MS));
	expect(0, command_wait(&f->protect));
	return o;
}

/* The other module patches both by aliases, and says how many it could. */
static int patch(struct fixture *f)
{
	char command[240];

	snprintf(command, sizeof(command),
		 "insmod /lib/modules/patch.ko function=0x%lx entry=0x%lx && cat /sys/module/patch/parameters/changed",
		 f->getppid, f->table + 8 * GETPPID);
	return atoi(qemu_run(&f->qemu, 0, command));
}

static void test_deny(struct fixture *f)
{
	json_object *o;

	begin(f, "deny");
	expect(0, attack(f));
	expect_attempts(f, "denied", "[attack]",
			f->possible & ~(1u << BY_WP));
	expect(0, patch(f));
	f->seen = 0;
	expect_attempts(f, "denied", "[patch init]", 1u << 1);
	qemu_run(&f->qemu, 0, "rmmod patch");
	o = end(f);
	expect(0, strcmp("deny", json_text(o, "mode")));
	json_object_put(o);
}

static void test_report(struct fixture *f)
{
	json_object *o;

	begin(f, "report");
	expect(f->possible, attack(f));
	expect_attempts(f, "reported", "[attack]", f->possible);
	o = end(f);
	json_object_put(o);
	/* All events are off. */
	expect(f->possible, attack(f));
	qemu_expect_alive(&f->qemu);
}

static void test_crash(struct fixture *f)
{
	char line[160];
	int size;

	begin(f, "crash");
	size = snprintf(line, sizeof(line),
			"run insmod /lib/modules/attack.ko text=0x%lx entry=0x%lx\n",
			f->getppid + INSIDE, f->table + 8 * GETPPID);
	expect(size, must(write(f->qemu.keys, line, size)));
	expect_true(strstr(qmp_event(&f->qemu.qmp, "GUEST_PANICKED"),
			   "introspection"));
	take_line(f, command_line(&f->protect, DEADLINE_MS), "crashed",
		  "[attack]");
	must(kill(f->protect.pid, SIGTERM));
	command_wait(&f->protect);
}

int main(void)
{
	static struct fixture f;
	struct qemu_options options = {
		.object = "", .more = { "-action", "panic=none" },
	};

	qemu_prepare(&f.qemu);
	qemu_start(&f.qemu, &options);
	qemu_wait_console(&f.qemu, "beacon: ", 2);
	f.getppid = qemu_symbol(&f.qemu, "__x64_sys_getppid");
	f.table = qemu_symbol(&f.qemu, "sys_call_table");
	find_possible(&f);
	test_deny(&f);
	test_report(&f);
	qemu_run(&f.qemu, 1, "dmesg | grep -E 'BUG|Oops|WARNING|general protection'");
	test_crash(&f);
	qemu_quit(&f.qemu);
	return 0;
}
