// SPDX-License-Identifier: GPL-2.0-only
/*
 * "stop" and a snapshot while "kvmi trace" has breakpoints in the guest: QEMU
 * asks it to leave, and when the reply comes, or the snapshot is made, the
 * guest's code is as it was. After "cont" the next trace is let in; a guest
 * that is loaded from the snapshot has no breakpoint in it.
 *
 * lab: calm timeout=180
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/command.h"
#include "../lib/test.h"
#include "../lib/vmm.h"

#define ROUNDS	8

static uint8_t code[4096];

static size_t code_size(void)
{
	return guest_events.end - guest_events.code;
}

static uint8_t *code_now(struct bare *bare)
{
	return bare->memory + GUEST_EVENTS;
}

/* Both vCPUs run into the breakpoint, again and again. */
static void watch(struct bare *bare, struct command *trace)
{
	int i;

	for (i = 0; i < 2; i++) {
		bare_prepare(bare, i, GUEST_NOP);
		bare_allow(bare, i, 1ull << 60);
	}
	command_start(trace, "trace -s %s --json breakpoint 0x%lx",
		      bare->qemu.socket, vmm_kind_rip(GUEST_NOP));
	for (i = 0; i < 4; i++)
		expect_true(command_line(trace, DEADLINE_MS));
	expect_true(memcmp(code, code_now(bare), code_size()));
	expect(0, bare_state(bare, 0)->traps);
	expect(0, bare_state(bare, 1)->traps);
}

/* It has left by itself, in order, and nothing of it is in the guest. */
static void expect_left(struct bare *bare, struct command *trace)
{
	expect_bytes(code, code_now(bare), code_size());
	expect(0, command_wait(trace));
	expect(0, bare_state(bare, 0)->traps);
	expect(0, bare_state(bare, 1)->traps);
}

static void expect_running(struct bare *bare)
{
	int i;

	for (i = 0; i < 2; i++) {
		uint64_t before = bare_state(bare, i)->executions;

		wait_for(bare_state(bare, i)->executions > before + 2);
		expect(0, bare_state(bare, i)->wrong);
	}
}

static void test_stop(struct bare *bare)
{
	static struct command trace;
	uint64_t before;

	note("stop");
	watch(bare, &trace);
	qmp(&bare->qemu.qmp, "stop", NULL);
	expect(0, strcmp("paused", qmp_ask(&bare->qemu.qmp, "query-status",
					   NULL, "status")));
	expect_left(bare, &trace);
	before = bare_state(bare, 0)->executions;
	sleep_ms(100);
	expect(before, bare_state(bare, 0)->executions);
	expect(0, strcmp("held", qmp_ask(&bare->qemu.qmp,
					 "query-introspection", NULL,
					 "state")));
	qmp(&bare->qemu.qmp, "cont", NULL);
	expect_running(bare);
}

static void test_snapshot(struct bare *bare)
{
	static struct command trace;

	note("snapshot");
	watch(bare, &trace);
	qmp_human(&bare->qemu.qmp, "savevm s");
	expect_left(bare, &trace);
	expect_running(bare);

	/* The next one cannot be asked: loading ends the session. */
	watch(bare, &trace);
	qmp_human(&bare->qemu.qmp, "loadvm s");
	expect_true(command_wait(&trace) != 0);
	expect_bytes(code, code_now(bare), code_size());
	expect_running(bare);
}

static void make_disk(const struct bare *bare, char *option, size_t size)
{
	char command[160];

	snprintf(option, size, "if=none,id=d,format=qcow2,file=%s/disk",
		 bare->qemu.folder);
	snprintf(command, sizeof(command),
		 "qemu-img create -q -f qcow2 '%s/disk' 1M",
		 bare->qemu.folder);
	expect(0, system(command));
}

int main(void)
{
	struct bare bare = { .more = { "-drive" } };
	char disk[128];
	int i;

	expect_true(code_size() <= sizeof(code));
	qemu_prepare(&bare.qemu);
	make_disk(&bare, disk, sizeof(disk));
	bare.more[1] = disk;
	bare_start(&bare, "");
	memcpy(code, code_now(&bare), code_size());
	for (i = 0; i < ROUNDS; i++)
		test_stop(&bare);
	test_snapshot(&bare);
	bare_quit(&bare);
	return 0;
}
