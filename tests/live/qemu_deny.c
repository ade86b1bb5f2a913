// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi trace --deny page" on both vCPUs of our QEMU: as many lines as stores,
 * the guest goes on behind each, and what it stores to is as before. So with an
 * instruction that KVM's emulator does not know. After the trace it can store.
 *
 * lab: calm timeout=160
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/bare.h"
#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/test.h"
#include "../lib/vmm.h"

#define STORES		20
#define PATTERN		0xa5
#define SIZE		64	/* bytes that are looked at */

static const struct {
	const char *name;
	size_t size;
	uint8_t code[8];
} stores[] = {
	{ "mov %rax, (%rdi)", 3, { 0x48, 0x89, 0x07 } },
	{ "rep stosb", 2, { 0xf3, 0xaa } },
	{ "fnsave (%rdi)", 2, { 0xdd, 0x37 } },
	{ "movl $imm, 8(%rdi)", 7, { 0xc7, 0x47, 8, 1, 2, 3, 4 } },
};

static uint8_t *touched(struct bare *bare, int vcpu)
{
	return bare->memory + GUEST_TOUCHED(vcpu);
}

static void expect_untouched(struct bare *bare, int vcpu)
{
	uint8_t pattern[SIZE];

	memset(pattern, PATTERN, SIZE);
	expect_bytes(pattern, touched(bare, vcpu), SIZE);
}

/* Both vCPUs rest before the instruction. */
static void prepare(struct bare *bare, size_t i)
{
	uint8_t *code = bare->memory + vmm_kind_rip(GUEST_PAGE);
	int vcpu;

	for (vcpu = 0; vcpu < 2; vcpu++) {
		bare_prepare(bare, vcpu, GUEST_PAGE);
		bare_state(bare, vcpu)->value = 0x1122334455667788;
		bare_state(bare, vcpu)->count = 16;
	}
	memset(code, 0x90, GUEST_PAGE_CODE);
	memcpy(code, stores[i].code, stores[i].size);
}

static void expect_lines(struct command *trace)
{
	int got[2] = { 0, 0 };
	json_object *o;
	uint64_t vcpu;

	while (got[0] + got[1] < 2 * STORES) {
		o = json_parse(command_line(trace, DEADLINE_MS));
		vcpu = json_number(o, "vcpu");
		expect_true(vcpu < 2);
		expect(vmm_kind_rip(GUEST_PAGE), json_number(o, "rip"));
		expect(GUEST_TOUCHED(vcpu), json_number(o, "gpa") & ~0xfffull);
		got[vcpu]++;
		json_object_put(o);
	}
	expect(STORES, got[0]);
	expect(STORES, got[1]);
}

static void expect_summary(struct command *trace, int count)
{
	json_object *o, *row;

	must(kill(trace->pid, SIGTERM));
	o = json_parse(command_line(trace, DEADLINE_MS));
	expect_true(json_object_object_get_ex(o, "page", &row));
	expect(count, json_number(row, "count"));
	json_object_put(o);
	expect(true, !command_line(trace, DEADLINE_MS));
	expect(0, command_wait(trace));
}

static void test_deny(struct bare *bare, size_t i)
{
	static struct command trace;
	int vcpu, lines;

	note("%s", stores[i].name);
	prepare(bare, i);
	command_start(&trace, "trace -s %s --json --deny page 0x%x 0x%x",
		      bare->qemu.socket, GUEST_TOUCHED(0), GUEST_TOUCHED(1));
	lines = bare_wait_trace(bare, &trace);
	for (vcpu = 0; vcpu < 2; vcpu++) {
		memset(touched(bare, vcpu), PATTERN, 4096);
		bare_allow(bare, vcpu, STORES);
	}
	expect_lines(&trace);
	for (vcpu = 0; vcpu < 2; vcpu++) {
		bare_wait_rest(bare, vcpu);
		expect_untouched(bare, vcpu);
	}
	expect_summary(&trace, lines + 2 * STORES);

	/* Nobody says no any more. */
	for (vcpu = 0; vcpu < 2; vcpu++) {
		bare_allow(bare, vcpu, 1);
		bare_wait_rest(bare, vcpu);
		expect_true(touched(bare, vcpu)[0] != PATTERN ||
			    touched(bare, vcpu)[8] != PATTERN);
	}
}

int main(void)
{
	struct bare bare = { 0 };
	size_t i;

	qemu_prepare(&bare.qemu);
	bare_start(&bare, "");
	for (i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		test_deny(&bare, i);
	bare_quit(&bare);
	return 0;
}
