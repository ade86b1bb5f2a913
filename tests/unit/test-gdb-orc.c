// SPDX-License-Identifier: GPL-2.0-or-later
/* How the rows of the kernel's tables become frames of DWARF. */
#include "../../tools/gdbserver/orc.h"
#include "rig.h"

/* sp_reg, bp_reg, type */
#define BITS(sp, bp, type) ((uint16_t)((sp) | (bp) << 4 | (type) << 8))

enum { PREV_SP = 1, BP = 4, SP = 5, SP_INDIRECT = 9 };
enum { UNDEFINED = 0, CALL = 2, REGS = 3 };

/* Two starts, which all frames refer to. */
static const uint8_t starts[] = {
	12, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0x78, 16, 0, 0, 0,
	12, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 'S', 0, 1, 0x78, 16, 0, 0,
};

static void expect_frames(const uint64_t *ips, const struct orc_entry *entries,
			  size_t count, const uint8_t *want, size_t size)
{
	struct orc_frames frames = { 0 };

	orc_convert(ips, entries, count, &frames);
	assert_int_equal(frames.size, sizeof(starts) + size);
	assert_memory_equal(frames.bytes, starts, sizeof(starts));
	if (size)
		assert_memory_equal(frames.bytes + sizeof(starts), want, size);
	free(frames.bytes);
}

/* push %rbp; mov %rsp, %rbp; ... */
static void rows_of_a_function_share_a_frame(void **state)
{
	static const uint64_t ips[] = { 0x1000, 0x1001, 0x1104, 0x1200 };
	static const struct orc_entry entries[] = {
		{ 8, 0, BITS(SP, 0, CALL) },
		{ 16, -16, BITS(SP, PREV_SP, CALL) },
		{ 16, -16, BITS(BP, PREV_SP, CALL) },
		{ 0, 0, BITS(0, 0, UNDEFINED) },
	};
	static const uint8_t want[] = {
		52, 0, 0, 0,		/* length */
		0, 0, 0, 0,		/* the first start */
		0x00, 0x10, 0, 0, 0, 0, 0, 0,
		0x00, 0x02, 0, 0, 0, 0, 0, 0,
		0x12, 7, 0x7f,		/* CFA: rsp + 8 */
		0x11, 16, 1, 8, 6,	/* return address at CFA - 8, rbp is it */
		0x41,			/* 1 byte further */
		0x12, 7, 0x7e, 0x11, 16, 1, 0x11, 6, 2,
		3, 3, 1,		/* 0x103 bytes further */
		0x12, 6, 0x7e, 0x11, 16, 1, 0x11, 6, 2,
		0, 0,
	};

	(void)state;
	expect_frames(ips, entries, 4, want, sizeof(want));
}

static void the_frame_of_an_exception_is_one_of_its_own(void **state)
{
	static const uint64_t ips[] = { 0x1000, 0x1001, 0x1002 };
	static const struct orc_entry entries[] = {
		{ 0, 0, BITS(SP, 0, REGS) },
		{ 0, 0, BITS(0, 0, UNDEFINED) },
		{ 0, 0, BITS(0, 0, UNDEFINED) },
	};
	struct orc_frames frames = { 0 };
	const uint8_t *at;

	(void)state;
	orc_convert(ips, entries, 3, &frames);
	at = frames.bytes + sizeof(starts);
	assert_int_equal(at[4], 16);		/* the second start */
	assert_int_equal(at[16], 1);		/* of one byte */
	/* CFA: rsp; r15 is there, r14 8 behind it. */
	assert_memory_equal(at + 24, "\x12\x07\x00\x11\x0f\x00\x11\x0e\x7f", 9);
	/* Return address at 128, rsp at 152. */
	assert_memory_equal(at + 24 + 3 + 45, "\x11\x10\x70\x11\x07\x6d", 6);
	/* The end: the return address is undefined. */
	at += 4 + at[0];
	assert_memory_equal(at + 24, "\x0c\x07\x00\x07\x10", 5);
	free(frames.bytes);
}

static void a_stack_is_found_through_another(void **state)
{
	static const uint64_t ips[] = { 0x1000, 0x1001 };
	static const struct orc_entry entries[] = {
		{ 8, 0, BITS(SP_INDIRECT, 0, CALL) }, { 0 },
	};
	struct orc_frames frames = { 0 };

	(void)state;
	orc_convert(ips, entries, 2, &frames);
	/* CFA: what is at rsp, + 8 */
	assert_memory_equal(frames.bytes + sizeof(starts) + 24,
			    "\x0f\x06\x77\x00\x06\x11\x08\x22", 8);
	free(frames.bytes);
}

static void few_rows_are_none(void **state)
{
	const struct orc_entry entry = { 8, 0, BITS(SP, 0, CALL) };
	const uint64_t ip = 0x1000;

	(void)state;
	expect_frames(&ip, &entry, 0, NULL, 0);
	expect_frames(&ip, &entry, 1, NULL, 0);
}

/* As a guest may have it. */
static void any_row_does_no_harm(void **state)
{
	static struct orc_entry entries[4096];
	static uint64_t ips[4096];
	struct orc_frames frames = { 0 };
	size_t i;

	(void)state;
	srand(1);
	for (i = 0; i < 4096; i++) {
		ips[i] = (uint64_t)rand() << 33 ^ (uint64_t)rand();
		entries[i] = (struct orc_entry){
			(int16_t)rand(), (int16_t)rand(), (uint16_t)rand(),
		};
	}
	orc_convert(ips, entries, 4096, &frames);
	assert_true(frames.size > 4095 * 8);
	assert_int_equal(frames.size % 8, 0);
	free(frames.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_a_function_share_a_frame),
		cmocka_unit_test(the_frame_of_an_exception_is_one_of_its_own),
		cmocka_unit_test(a_stack_is_found_through_another),
		cmocka_unit_test(few_rows_are_none),
		cmocka_unit_test(any_row_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
