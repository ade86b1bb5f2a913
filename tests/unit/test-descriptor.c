// SPDX-License-Identifier: GPL-2.0-or-later
/* Which stores to a GDT kvmi protect takes for the kernel's own. */
#include "../../tools/protect/descriptor.h"
#include "rig.h"

/* What set_thread_area() makes: data for a user, present or not. */
#define USER_DATA	0x00cff3000000ffffull
#define USER_ABSENT	0x00cf73000000ffffull
#define USER_SMALL	0xabd0f3c0de004711ull
#define USER_CODE	0x00cffb000000ffffull
#define KERNEL_DATA	0x00cf93000000ffffull
#define KERNEL_CODE	0x00af9b000000ffffull
#define CALL_GATE	0xffffec0000100000ull	/* for users */
#define ABSENT_GATE	0xffff6c0000100000ull
#define TSS_FREE	0xfe0089003000206full
#define TSS_BUSY	0xfe008b003000206full
#define LDT_IN_USE	0x880082000000000full

enum { UNUSED = 7, TASK = 8, LDT = 10, TLS = 12, NUMBER = 15 };

static bool judge(unsigned int index, uint64_t old, uint64_t value,
		  enum descriptor_kind *kind)
{
	return descriptor_judge_new(index, value, kind) ||
	       descriptor_judge_change(index, old, value, kind);
}

static void own(void **state)
{
	static const struct {
		unsigned int index;
		uint64_t old, value;
		enum descriptor_kind kind;
	} cases[] = {
		{ TLS, 0, 0, DESCRIPTOR_TLS },
		{ TLS, USER_DATA, 0, DESCRIPTOR_TLS },
		{ TLS, 0, USER_DATA, DESCRIPTOR_TLS },
		{ TLS + 1, 0, USER_ABSENT, DESCRIPTOR_TLS },
		{ TLS + 2, USER_DATA, USER_SMALL, DESCRIPTOR_TLS },
		{ LDT, 0, LDT_IN_USE, DESCRIPTOR_LDT },
		{ LDT + 1, 0, 0xffffc900, DESCRIPTOR_LDT },
		{ TASK, TSS_FREE, TSS_BUSY, DESCRIPTOR_TASK },
		{ TASK, TSS_BUSY, TSS_FREE, DESCRIPTOR_TASK },
		{ TASK + 1, 0xfffffe00, 0xfffffe00, DESCRIPTOR_SAME },
		{ NUMBER, USER_DATA, USER_DATA, DESCRIPTOR_SAME },
	};
	enum descriptor_kind kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(judge(cases[i].index, cases[i].old, cases[i].value,
				  &kind));
		assert_int_equal(kind, cases[i].kind);
	}
}

static void attacks(void **state)
{
	static const struct {
		unsigned int index;
		uint64_t old, value;
	} cases[] = {
		/* A gate, wherever it is put. */
		{ UNUSED, 0, CALL_GATE }, { TLS, 0, CALL_GATE },
		{ TLS + 1, 0, ABSENT_GATE }, { LDT, 0, CALL_GATE },
		{ TASK, TSS_BUSY, CALL_GATE }, { NUMBER, 0, CALL_GATE },
		/* A segment that a user shall not have, or not there. */
		{ TLS, 0, KERNEL_DATA }, { TLS, 0, KERNEL_CODE },
		{ TLS + 2, 0, USER_CODE }, { UNUSED, 0, USER_DATA },
		{ 3, KERNEL_DATA, USER_DATA }, { 3, KERNEL_DATA, 0 },
		{ 16, 0, CALL_GATE }, { 511, 0, 1 },
		/* Another TSS or a second LDT. */
		{ TASK, TSS_BUSY, TSS_BUSY ^ 0x10000 }, { TLS, 0, TSS_FREE },
		{ TASK + 1, 0xfffffe00, 0xffffc900 }, { TLS, 0, LDT_IN_USE },
		{ TASK, 0, TSS_FREE },
		/* More than the address of an LDT. */
		{ LDT + 1, 0, CALL_GATE }, { LDT, 0, LDT_IN_USE | 3ull << 45 },
		/* The busy bit elsewhere is another type. */
		{ UNUSED, TSS_FREE, TSS_BUSY },
	};
	enum descriptor_kind kind;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_false(judge(cases[i].index, cases[i].old,
				   cases[i].value, &kind));
}

static void odd(void **state)
{
	(void)state;
	assert_true(descriptor_is_odd(UNUSED, CALL_GATE));
	assert_true(descriptor_is_odd(TLS, CALL_GATE));
	assert_true(descriptor_is_odd(TLS, TSS_FREE));
	assert_false(descriptor_is_odd(TASK, TSS_BUSY));
	assert_false(descriptor_is_odd(LDT, LDT_IN_USE));
	assert_false(descriptor_is_odd(LDT + 1, 0xffffc900));
	assert_false(descriptor_is_odd(2, KERNEL_CODE));
	assert_false(descriptor_is_odd(TLS, USER_ABSENT));
	assert_false(descriptor_is_odd(0, 0));
}

static void load_task_register(void **state)
{
	static const uint8_t ltr[] = { 0x0f, 0x00, 0xd8 };
	static const uint8_t wide[] = { 0x48, 0x0f, 0x00, 0xd8 };
	static const uint8_t from_memory[] = { 0x66, 0x0f, 0x00, 0x1e };
	static const uint8_t lldt[] = { 0x0f, 0x00, 0xd0 };
	static const uint8_t lgdt[] = { 0x0f, 0x01, 0x18 };

	(void)state;
	assert_true(descriptor_is_ltr(ltr, sizeof(ltr)));
	assert_true(descriptor_is_ltr(wide, sizeof(wide)));
	assert_true(descriptor_is_ltr(from_memory, sizeof(from_memory)));
	assert_false(descriptor_is_ltr(lldt, sizeof(lldt)));
	assert_false(descriptor_is_ltr(lgdt, sizeof(lgdt)));
	assert_false(descriptor_is_ltr(ltr, 2));
	assert_false(descriptor_is_ltr(wide, 3));
	assert_false(descriptor_is_ltr(ltr, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own), cmocka_unit_test(attacks),
		cmocka_unit_test(odd), cmocka_unit_test(load_task_register),
	};

	return cmocka_run_group_tests_name("descriptor", tests, NULL, NULL);
}
