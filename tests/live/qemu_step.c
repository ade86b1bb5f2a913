// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi step". On a guest that we know: each instruction of its loop is a line
 * with the bytes of memory, once; the guest's own counts are those of the lines;
 * its timer waits and the other vCPU's does not. On a Debian guest: each address
 * follows from the instruction before. Ended in any way, the guest goes on. A
 * host that cannot says so.
 *
 * lab: calm timeout=240
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/test.h"
#include "../lib/vmm.h"

#define NOPS		5
#define STEPS		400
#define KERNEL		0xffff800000000000ull
#define LOOP_END	(GUEST_EVENTS + 0x20)

struct step {
	uint64_t number, vcpu, rip, next;
	size_t size;		/* of bytes, 0: unknown */
	uint8_t bytes[16];
	char text[96];
	bool failed;
};

static void read_bytes(struct step *step, const char *hex)
{
	unsigned int byte;

	for (; hex && sscanf(hex, "%2x", &byte) == 1; hex += 2) {
		expect_true(step->size < 15);
		step->bytes[step->size++] = byte;
	}
}

/* False at the end of the lines. */
static bool read_step(struct command *command, struct step *step)
{
	const char *line = command_line(command, DEADLINE_MS), *text;
	json_object *o;

	if (!line)
		return false;
	o = json_tokener_parse(line);
	if (!o)
		fail("this is no JSON: %s", line);
	*step = (struct step){
		.number = json_number(o, "step"), .vcpu = json_number(o, "vcpu"),
		.rip = json_number(o, "rip"), .next = json_number(o, "next"),
		.failed = json_object_get_boolean(json_field(o, "failed")),
	};
	read_bytes(step, json_object_get_string(json_field(o, "bytes")));
	text = json_object_get_string(json_field(o, "instruction"));
	snprintf(step->text, sizeof(step->text), "%s", text ? text : "");
	json_object_put(o);
	return true;
}

static void next_step(struct command *command, struct step *step)
{
	const struct step before = *step;

	if (!read_step(command, step))
		fail("no step after %llu", (long long)before.number);
	expect(before.number + 1, step->number);
	expect(false, step->failed);
	if (before.number)
		expect(before.next, step->rip);
}

static bool host_can(const char *socket)
{
	json_object *o, *protocol;
	bool can;

	o = json_tokener_parse(command_output(0, "info -s %s --json", socket));
	expect_true(o);
	protocol = json_field(o, "protocol");
	can = json_object_get_boolean(json_field(json_field(protocol,
							    "features"),
						 "singlestep"));
	json_object_put(o);
	return can;
}

static void test_refused(struct bare *bare)
{
	const char *text;

	note("a host that cannot");
	text = command_output(1, "step -s %s 2>&1", bare->qemu.socket);
	expect_true(strstr(text, "cannot single-step"));
	expect_true(strstr(text, "trace breakpoint"));
}

static void expect_memory(struct bare *bare, const struct step *step)
{
	expect_true(step->size > 0);
	expect_bytes(bare->memory + step->rip, step->bytes, step->size);
}

/* Resting it reads its limit again and again: four instructions. */
static void test_loop(struct bare *bare, int vcpu)
{
	const uint64_t ticks = bare_state(bare, vcpu)->ticks;
	struct step step = { 0 };
	struct command command;
	uint64_t first = 0;
	int i, round = 0;

	note("the loop of vCPU %d", vcpu);
	bare_prepare(bare, vcpu, GUEST_NOP);
	command_start(&command, "step -s %s --json -n 60 --vcpu %d",
		      bare->qemu.socket, vcpu);
	for (i = 0; i < 60; i++) {
		next_step(&command, &step);
		expect(vcpu, step.vcpu);
		expect_memory(bare, &step);
		if (step.rip == GUEST_EVENTS)
			first = step.number;
		if (!first)	/* the end of the timer's handler */
			continue;
		round = (step.number - first) % 4;
		expect_true(step.rip >= GUEST_EVENTS && step.rip < LOOP_END);
		expect(round == 3 ? GUEST_EVENTS : step.rip + step.size,
		       step.next);
		expect_true(round || strstr(step.text, "pause"));
	}
	expect_true(first && first > 50);
	expect(0, command_wait(&command));
	wait_for(bare_state(bare, vcpu)->ticks_done > ticks + 100);
	expect(0, bare_state(bare, vcpu)->wrong);
}

/* Each NOP that the guest counts is a line; no interrupt comes between. */
static void test_count(struct bare *bare, int vcpu)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);
	volatile struct guest_state *other = bare_state(bare, !vcpu);
	static struct command command;
	struct step step = { 0 };
	uint64_t ticks, others, nops = 0;
	int i;

	note("counts of vCPU %d", vcpu);
	bare_prepare(bare, vcpu, GUEST_NOP);
	command_start(&command, "step -s %s --json -n 1G --vcpu %d",
		      bare->qemu.socket, vcpu);
	/* Out of the handler of an interrupt that was there before. */
	for (i = 0; i < 30; i++)
		next_step(&command, &step);
	ticks = state->ticks;
	others = other->ticks_done;
	bare_allow(bare, vcpu, NOPS);
	while (state->executions < NOPS || step.rip != GUEST_EVENTS) {
		next_step(&command, &step);
		nops += step.rip == vmm_kind_rip(GUEST_NOP);
	}
	expect(NOPS, state->executions);
	expect(ticks, state->ticks);
	wait_for(other->ticks_done > others);
	must(kill(command.pid, SIGTERM));
	/* What was under way. */
	while (read_step(&command, &step))
		nops += step.rip == vmm_kind_rip(GUEST_NOP);
	expect(NOPS, nops);
	expect(0, command_wait(&command));
	wait_for(state->ticks_done > ticks + 100);
}

/* Killed, it leaves nothing behind. */
static void test_kill(struct bare *bare)
{
	static struct command command;
	struct step step = { 0 };
	uint64_t ticks;
	int i;

	note("killed");
	bare_prepare(bare, 0, GUEST_NOP);
	command_start(&command, "step -s %s --json -n 1G", bare->qemu.socket);
	for (i = 0; i < 10; i++)
		next_step(&command, &step);
	must(kill(command.pid, SIGKILL));
	expect(128 + SIGKILL, command_wait(&command));
	ticks = bare_state(bare, 0)->ticks;
	wait_for(bare_state(bare, 0)->ticks > ticks + 100);
	bare_allow(bare, 0, 1000);
	bare_wait_rest(bare, 0);
}

/* Without what can stand before a jump, call or return. */
static const char *name_of(const struct step *step)
{
	static const char *const prefixes[] = { "bnd ", "notrack ", "rep " };
	const char *name = step->text;
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			name += strlen(prefixes[i]);
	return name;
}

/* The address that a direct jump or call names, 0: another instruction. */
static uint64_t target(const struct step *step)
{
	const char *name = name_of(step), *at = strstr(name, " 0x");
	uint64_t address;
	char *end;

	if (!at || (name[0] != 'j' && strncmp(name, "call", 4) &&
		    strncmp(name, "loop", 4)))
		return 0;
	address = strtoull(at + 1, &end, 16);
	/* As in "call 0x38(%rbp)", where it lies in memory. */
	return *end == '(' ? 0 : address;
}

/* Goes elsewhere, and its operand does not tell where. */
static bool is_indirect(const struct step *step)
{
	static const char *const words[] = {
		"jmp", "call", "ret", "iret", "sysret", "syscall", "sysexit",
		"sysenter", "int", "lret", "ljmp", "lcall",
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strncmp(name_of(step), words[i], strlen(words[i])))
			return !target(step);
	return false;
}

/* In place of the instruction an exception was delivered, to the kernel. */
static bool is_exception(const struct step *step)
{
	return step->next >= KERNEL && step->next != step->rip;
}

enum way { BEHIND, JUMP, INDIRECT, AGAIN, DELIVERY, WAYS };

static enum way follow(const struct step *step)
{
	const char *name = name_of(step);

	if (is_indirect(step))
		return INDIRECT;
	if (target(step) && step->next == target(step))
		return JUMP;
	/* JMP and CALL always jump. */
	if (step->size && step->next == step->rip + step->size &&
	    strncmp(name, "jmp", 3) && strncmp(name, "call", 4))
		return BEHIND;
	if (!strncmp(step->text, "rep", 3) && step->next == step->rip)
		return AGAIN;
	if (is_exception(step))
		return DELIVERY;
	fail("%s at 0x%llx leads to 0x%llx", step->text, (long long)step->rip,
	     (long long)step->next);
}

/* The vCPU that halts makes no step; the beacon is on the other. */
static bool walk(struct qemu *qemu, int vcpu)
{
	static struct command command;
	struct step step = { 0 }, before;
	int i, ways[WAYS] = { 0 };

	command_start(&command, "step -s %s --json -n %d --vcpu %d",
		      qemu->socket, STEPS, vcpu);
	for (i = 0; i < STEPS; i++) {
		before = step;
		if (!read_step(&command, &step))
			break;
		expect(i + 1, step.number);
		expect(false, step.failed);
		if (i)
			expect(before.next, step.rip);
		ways[follow(&step)]++;
	}
	note("vCPU %d: %d behind, %d jumps, %d indirect, %d again, %d exceptions",
	     vcpu, ways[BEHIND], ways[JUMP], ways[INDIRECT], ways[AGAIN],
	     ways[DELIVERY]);
	expect(i < STEPS, command_wait(&command));
	if (i < STEPS)
		return false;
	expect_true(ways[BEHIND] > STEPS / 2);
	expect_true(ways[JUMP] > 0);
	expect_true(ways[DELIVERY] < STEPS / 20);
	return true;
}

static void test_whole_guest(void)
{
	struct qemu_options options = {
		.object = "", .append = "nokaslr beacon.spin=1",
	};
	uint64_t end = now_ms() + 4 * DEADLINE_MS;
	struct qemu qemu;
	int vcpu = 0;

	note("a whole guest");
	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	while (!walk(&qemu, vcpu)) {
		if (now_ms() > end)
			fail("no vCPU makes %d steps", STEPS);
		vcpu = !vcpu;
	}
	qemu_expect_alive(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
}

int main(void)
{
	struct bare bare = { 0 };
	bool can;
	int vcpu;

	qemu_prepare(&bare.qemu);
	bare_start(&bare, "");
	can = host_can(bare.qemu.socket);
	if (!can)
		test_refused(&bare);
	for (vcpu = 0; can && vcpu < 2; vcpu++) {
		test_loop(&bare, vcpu);
		test_count(&bare, vcpu);
	}
	if (can)
		test_kill(&bare);
	bare_quit(&bare);
	if (can)
		test_whole_guest();
	return 0;
}
