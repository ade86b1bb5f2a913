// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi protect --gdt" on a Debian guest: a module that puts call gates into
 * the GDT and opens the kernel's segments has no effect with deny, all with
 * report, and the same on a vCPU that is plugged in meanwhile, and taken off line
 * and back. Processes with segments of their own, in GDT and LDT, have these after
 * each switch. What it costs to switch is told in the log.
 *
 * lab: calm aside timeout=300
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
/* The bits of the module's answer that are about the GDT: four, and traces. */
#define GDT_SHIFT	10
#define ALL		0xf
#define SETTLE_MS	3000	/* after a vCPU has come: longer than a look */

static const unsigned int entries[] = { 7, 13, 3, 8 };

#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

struct fixture {
	struct qemu qemu;
	struct command protect;
	unsigned long getppid, table;
};

static long number(json_object *o, const char *group, const char *name)
{
	return (long)json_number(json_field(o, group), name);
}

static void begin(struct fixture *f, const char *mode)
{
	const char *line;

	note("%s", mode);
	command_start(&f->protect, "protect -s %s --gdt --json --mode %s 2>&1",
		      f->qemu.socket, mode);
	do {
		line = command_line(&f->protect, 4 * DEADLINE_MS);
		expect_true(line);
	} while (!strstr(line, READY));
	note("%s", line);
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

/* What the guest's module says of its effect on the GDT of that processor. */
static int attack(struct fixture *f, unsigned int vcpu)
{
	char command[240];
	int changed;

	snprintf(command, sizeof(command),
		 "taskset %x insmod /lib/modules/attack.ko gdt=1 text=0x%lx entry=0x%lx && cat /sys/module/attack/parameters/changed && rmmod attack",
		 1 << vcpu, f->getppid + 16, f->table + 8 * GETPPID);
	changed = atoi(qemu_run(&f->qemu, 0, command));
	note("changed: 0x%x", changed);
	return changed >> GDT_SHIFT;
}

/* Which of the entries this is about; -1: none. */
static int entry_of(json_object *o, unsigned int vcpu)
{
	char target[32];
	size_t i;

	for (i = 0; i < ENTRIES; i++) {
		snprintf(target, sizeof(target), "gdt[%u] of vCPU %u",
			 entries[i], vcpu);
		if (!strcmp(target, json_text(o, "target")))
			return (int)i;
	}
	return -1;
}

/* Each entry is told of, with the module and the process, and none besides. */
static void expect_attempts(struct fixture *f, const char *verdict,
			    unsigned int vcpu)
{
	unsigned int seen = 0;
	const char *line;
	json_object *o;
	int entry;

	while ((line = command_line(&f->protect, seen == ALL ? 1000 :
				    DEADLINE_MS))) {
		o = json_tokener_parse(line);
		if (!o)
			fail("this is no JSON: %s", line);
		/* The kernel itself does nothing that is refused. */
		if (strcmp("insmod", json_text(o, "comm")))
			fail("this is not the attack: %s", line);
		if (!strcmp("gdt", json_text(o, "what"))) {
			note("%s", line);
			entry = entry_of(o, vcpu);
			expect_true(entry >= 0);
			seen |= 1u << entry;
			expect(0, strcmp(verdict, json_text(o, "verdict")));
			expect(0, strcmp("insmod", json_text(o, "comm")));
			expect(0, strncmp("[attack]", json_text(o, "by"), 8));
		}
		json_object_put(o);
	}
	expect(ALL, seen);
}

static void plug(struct fixture *f)
{
	qmp(&f->qemu.qmp, "device_add",
	    "{ 'driver': 'host-x86_64-cpu', 'id': 'late', 'socket-id': 0,"
	    "  'core-id': 1, 'thread-id': 0 }");
	qemu_wait_console(&f->qemu, "guest: 2 vCPUs now", 1);
	sleep_ms(SETTLE_MS);
}

/* The guest takes its second processor off line; its init brings it back. */
static void take_off(struct fixture *f)
{
	qemu_run(&f->qemu, 0, "echo 0 >/sys/devices/system/cpu/cpu1/online");
	qemu_wait_console(&f->qemu, "guest: 2 vCPUs now", 2);
	expect(0, attack(f, 1));
	expect_attempts(f, "denied", 1);
}

/* Ping-pong of two processes for a second, as often as they get to it. */
static long play(struct fixture *f)
{
	static int games;
	long rounds;

	expect(5, must(write(f->qemu.keys, "play\n", 5)));
	qemu_wait_console(&f->qemu, "switches off two processes", ++games);
	rounds = (long)qemu_console_number(&f->qemu, "chores: ");
	expect_true(rounds > 0);
	note("%ld rounds of ping-pong in a second, %llu switches", rounds,
	     (unsigned long long)qemu_console_number(&f->qemu, "second, "));
	return rounds;
}

static void use_segments(struct fixture *f)
{
	static int times;

	expect(9, must(write(f->qemu.keys, "segments\n", 9)));
	qemu_wait_console(&f->qemu, "segments were there after 20 sleeps of 20",
			  ++times);
}

static void test_deny(struct fixture *f)
{
	json_object *o;
	long rounds;

	begin(f, "deny");
	rounds = play(f);
	use_segments(f);
	expect(0, attack(f, 0));
	expect_attempts(f, "denied", 0);
	plug(f);
	expect(0, attack(f, 1));
	expect_attempts(f, "denied", 1);
	use_segments(f);
	take_off(f);
	o = end(f);
	expect(3 * ENTRIES, number(o, "attempts", "gdt"));
	/* Each round is two switches at least, of three stores each. */
	expect_true(number(o, "let_through", "tls entry") >= 6 * rounds);
	expect_true(number(o, "let_through", "ldt entry") > 0);
	/* A processor that starts again, with the GDT that it had. */
	expect_true(number(o, "let_through", "tss entry") > 0);
	expect_true(number(o, "let_through", "same descriptor") > 0);
	json_object_put(o);
}

static void test_report(struct fixture *f)
{
	begin(f, "report");
	expect(ALL, attack(f, 1));
	expect_attempts(f, "reported", 1);
	json_object_put(end(f));
	/* Nobody is asked any more. */
	expect(ALL, attack(f, 0));
}

int main(void)
{
	static struct fixture f;
	struct qemu_options options = {
		.object = "", .append = "load=hotplug",
		.more = { "-smp", "1,maxcpus=2" },
	};

	qemu_prepare(&f.qemu);
	qemu_start(&f.qemu, &options);
	qemu_wait_console(&f.qemu, "beacon: ", 2);
	f.getppid = qemu_symbol(&f.qemu, "__x64_sys_getppid");
	f.table = qemu_symbol(&f.qemu, "sys_call_table");
	play(&f);
	test_deny(&f);
	test_report(&f);
	play(&f);
	qemu_run(&f.qemu, 1, "dmesg | grep -E 'BUG|Oops|WARNING|general protection'");
	qemu_expect_alive(&f.qemu);
	qemu_quit(&f.qemu);
	return 0;
}
