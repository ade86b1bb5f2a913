// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi trace" on both vCPUs of our QEMU, with a guest that counts what it does:
 * as many lines as executions, at their instruction, with the values that the
 * guest wrote, and a summary of the same number. After the trace the guest
 * and its code are as before.
 *
 * lab: calm timeout=160
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/command.h"
#include "../lib/event.h"
#include "../lib/json.h"
#include "../lib/test.h"
#include "../lib/vmm.h"

#define EXECUTIONS	20

static const struct {
	uint64_t kind;
	const char *event;
} traces[] = {
	{ GUEST_CR0, "cr0" },
	{ GUEST_CR3, "cr3" },
	{ GUEST_CR4, "cr4" },
	{ GUEST_HYPERCALL, "hypercall" },
	{ GUEST_NOP, "breakpoint" },
	{ GUEST_PAGE, "page" },
};

static void expect_line(json_object *o, size_t i, uint64_t *written)
{
	uint64_t vcpu = json_number(o, "vcpu");
	json_object *event;

	json_object_object_get_ex(o, "event", &event);
	expect(0, strcmp(traces[i].event, json_object_get_string(event)));
	expect(vmm_kind_rip(traces[i].kind), json_number(o, "rip"));
	expect_true(vcpu < 2);
	if (traces[i].kind == GUEST_NOP) {
		expect(vmm_kind_rip(GUEST_NOP), json_number(o, "address"));
		/* Or the other one, which is in the next page. */
		expect(GUEST_TABLES, json_number(o, "cr3") & ~0x1000ull);
	} else if (traces[i].kind == GUEST_PAGE) {
		expect(GUEST_TOUCHED(vcpu), json_number(o, "gva"));
		expect(GUEST_TOUCHED(vcpu), json_number(o, "gpa"));
	} else if (traces[i].kind != GUEST_HYPERCALL) {
		/* It goes back and forth between two values. */
		expect_true(json_number(o, "old") != json_number(o, "new"));
		if (written[vcpu])
			expect(written[vcpu], json_number(o, "old"));
		written[vcpu] = json_number(o, "new");
	}
}

/* Fails unless so many lines come for each vCPU. */
static void expect_lines(struct bare *bare, struct command *trace, size_t i,
			 int count)
{
	uint64_t written[2] = { 0, 0 };
	int got[2] = { 0, 0 };
	const char *line;
	json_object *o;
	int vcpu;

	while (got[0] + got[1] < 2 * count) {
		line = command_line(trace, DEADLINE_MS);
		if (!line)
			fail("%d lines instead of %d", got[0] + got[1],
			     2 * count);
		o = json_parse(line);
		expect_line(o, i, written);
		got[json_number(o, "vcpu")]++;
		json_object_put(o);
	}
	expect(count, got[0]);
	expect(count, got[1]);
	for (vcpu = 0; vcpu < 2 && written[0]; vcpu++)
		expect(bare_state(bare, vcpu)->wanted, written[vcpu]);
}

static void expect_summary(struct command *trace, const char *event, int count)
{
	json_object *o, *row;

	must(kill(trace->pid, SIGTERM));
	o = json_parse(command_line(trace, DEADLINE_MS));
	expect_true(json_object_object_get_ex(o, event, &row));
	expect(count, json_number(row, "count"));
	json_object_put(o);
	expect(true, !command_line(trace, DEADLINE_MS));
	expect(0, command_wait(trace));
}

static void expect_effect(struct bare *bare, int vcpu, uint64_t kind,
			  bool traced)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);

	bare_wait_rest(bare, vcpu);
	expect(0, state->traps);
	if (kind == GUEST_HYPERCALL)
		expect(traced ? 0 : -KVM_ENOSYS, state->result);
	else if (kind != GUEST_NOP && kind != GUEST_PAGE)
		expect(state->wanted, state->result);
}

static void test_trace(struct bare *bare, size_t i)
{
	static struct command trace;
	const uint64_t kind = traces[i].kind;
	int n, lines;

	note("%s", traces[i].event);
	for (n = 0; n < 2; n++)
		bare_prepare(bare, n, kind);
	if (kind == GUEST_NOP)
		command_start(&trace, "trace -s %s --json breakpoint 0x%lx",
			      bare->qemu.socket, vmm_kind_rip(kind));
	else if (kind == GUEST_PAGE)
		command_start(&trace, "trace -s %s --json page 0x%x 0x%x",
			      bare->qemu.socket, GUEST_TOUCHED(0),
			      GUEST_TOUCHED(1));
	else
		command_start(&trace, "trace -s %s --json %s",
			      bare->qemu.socket, traces[i].event);
	lines = bare_wait_trace(bare, &trace);
	for (n = 0; n < 2; n++)
		bare_allow(bare, n, EXECUTIONS);
	expect_lines(bare, &trace, i, EXECUTIONS);
	for (n = 0; n < 2; n++)
		expect_effect(bare, n, kind, true);
	expect_summary(&trace, traces[i].event, lines + 2 * EXECUTIONS);

	/* Nobody looks any more. */
	for (n = 0; n < 2; n++) {
		bare_allow(bare, n, EXECUTIONS);
		expect_effect(bare, n, kind, false);
	}
}

/*
 * Where the instruction is run in its place the count is an estimate, but the
 * guest executes all; where there is an INT3 already none is set.
 */
static void test_in_place(struct bare *bare)
{
	const char *path = bare->qemu.socket;
	json_object *o, *row;
	struct command trace;
	uint64_t count;
	int i;

	note("a breakpoint on another instruction");
	for (i = 0; i < 2; i++) {
		bare_prepare(bare, i, GUEST_HYPERCALL);
		bare_allow(bare, i, 1ull << 60);
	}
	command_start(&trace, "trace -s %s -q --json --count 20 breakpoint 0x%lx",
		      path, vmm_kind_rip(GUEST_HYPERCALL));
	o = json_parse(command_line(&trace, DEADLINE_MS));
	expect_true(json_object_object_get_ex(o, "breakpoint", &row));
	count = json_number(row, "count");
	expect_true(count >= 20);
	json_object_put(o);
	expect(0, command_wait(&trace));
	for (i = 0; i < 2; i++) {
		expect(0, bare_state(bare, i)->traps);
		bare_prepare(bare, i, GUEST_INT3);
	}

	command_output(1, "trace -s %s --seconds 1 breakpoint 0x%lx 2>&1", path,
		       vmm_kind_rip(GUEST_INT3));
	command_output(1, "trace -s %s --seconds 1 breakpoint 0x7000000000 2>&1",
		       path);
}

int main(void)
{
	const size_t size = guest_events.end - guest_events.code;
	uint8_t code[4096];
	struct bare bare = { 0 };
	size_t i;

	expect_true(size <= sizeof(code));
	qemu_prepare(&bare.qemu);
	bare_start(&bare, "");
	memcpy(code, bare.memory + GUEST_EVENTS, size);
	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++)
		test_trace(&bare, i);
	expect_bytes(code, bare.memory + GUEST_EVENTS, size);
	test_in_place(&bare);
	expect_bytes(code, bare.memory + GUEST_EVENTS, size);
	for (i = 0; i < 2; i++)
		expect(0, bare_state(&bare, i)->wrong);
	bare_quit(&bare);
	return 0;
}
