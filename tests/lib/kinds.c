// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the stores of the guest's module write.
 */
#include <string.h>

#include "kinds.h"
#include "test.h"
#include "vmm.h"

#define WORDS		4
#define FXSAVE_XMM0	160
#define XSAVE_BV	512
#define XSAVE_YMM0	576
#define XSAVE_ALL	7	/* x87, SSE, AVX: what is asked for */
#define XSAVE_AVX	4
#define KERNEL_CS	0x10
#define KERNEL_DS	0x18

static uint64_t word(const uint8_t *bytes, int i)
{
	uint64_t value;

	memcpy(&value, bytes + 8 * i, sizeof(value));
	return value;
}

static void one_landed(const uint8_t *before, const uint8_t *after,
		       uint64_t value)
{
	(void)before;
	expect(value, word(after, 0));
}

static void row_landed(const uint8_t *before, const uint8_t *after,
		       uint64_t value)
{
	int i;

	(void)before;
	for (i = 0; i < WORDS; i++)
		expect(value + i, word(after, i));
}

static void sum_landed(const uint8_t *before, const uint8_t *after,
		       uint64_t value)
{
	expect(word(before, 0) + value, word(after, 0));
}

static void float_landed(const uint8_t *before, const uint8_t *after,
			 uint64_t value)
{
	double number = (double)(int64_t)value;

	(void)before;
	expect_bytes(&number, after, sizeof(number));
}

static void pair_landed(const uint8_t *before, const uint8_t *after,
			uint64_t value)
{
	(void)before;
	expect(value, word(after, 0));
	expect(~value, word(after, 1));
}

/* The area has gaps that nothing writes. */
static void state_landed(const uint8_t *before, const uint8_t *after,
			 uint64_t value)
{
	int i;

	for (i = 0; i < WORDS / 2; i++) {
		expect(value + i, word(after + FXSAVE_XMM0, i));
		expect(value + WORDS / 2 + i, word(after + XSAVE_YMM0, i));
	}
	expect_true(word(after + XSAVE_BV, 0) & XSAVE_AVX);
	expect(0, (word(before + XSAVE_BV, 0) ^ word(after + XSAVE_BV, 0)) &
		  ~(uint64_t)XSAVE_ALL);
	expect_bytes(before + 416, after + 416, 96);
	expect_bytes(before + XSAVE_BV + 8, after + XSAVE_BV + 8, 56);
}

/* What an exception leaves; the handler has put RIP behind the instruction. */
static void frame_landed(const uint8_t *before, const uint8_t *after,
			 uint64_t value)
{
	(void)before;
	(void)value;
	expect(KERNEL_CS, word(after, 2));
	expect(0, word(after, 4) % 4096);
	/* Linux sees to it on AMD; elsewhere a switch from user space leaves 0. */
	if (word(after, 5) || !vmm_is_intel())
		expect(KERNEL_DS, word(after, 5));
}

const struct kind kinds[STORE_KINDS] = {
	[STORE_MOV] = { "mov", true, 1, 8, 0, one_landed },
	[STORE_MOVS] = { "movs", true, 4, 32, 0, row_landed },
	[STORE_PUSH] = { "push", true, 1, 8, 8, one_landed },
	[STORE_ADD] = { "add", true, 1, 8, 0, sum_landed },
	[STORE_FSTP] = { "fstp", false, 1, 8, 0, float_landed },
	[STORE_XSAVE] = { "xsave", false, 1, 832, 0, state_landed },
	[STORE_CMPXCHG16B] = { "cmpxchg16b", false, 1, 16, 0, pair_landed },
	[STORE_AVX] = { "avx", false, 1, 32, 0, row_landed },
	[STORE_TRAP] = { "trap", false, 1, STORE_FRAME, 0, frame_landed },
};

const char *const targets[STORE_TARGETS] = {
	"text", "data", "stack", "idt", "gdt", "tss", "table",
};
