// SPDX-License-Identifier: GPL-2.0-or-later
/* Which stores kvmi protect takes for the kernel's own patches of its text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../tools/protect/poke.h"
#include "rig.h"

#define TEXT	0xffffffff81000000ull
#define MODULES	0xffffffffc0000000ull
#define SIZE	4096
#define INT3	0xcc

#define KEY		(TEXT + 0x100)	/* 5 bytes, jumps to KEY + 0x85 */
#define SHORT_KEY	(TEXT + 0x200)	/* 2 bytes, jumps to + 0x12 */
#define STATIC_CALL	(TEXT + 0x300)
#define FUNCTION	(TEXT + 0x400)	/* for ftrace at its beginning */
#define INSIDE		(TEXT + 0x500)

static uint8_t text[SIZE];
static struct pokes pokes;

static const uint8_t nop5[] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
static const uint8_t nop2[] = { 0x66, 0x90 };
static const uint8_t jump[] = { 0xe9, 0x80, 0x00, 0x00, 0x00 };
static const uint8_t short_jump[] = { 0xeb, 0x10 };
/* To MODULES from FUNCTION and from INSIDE. */
static const uint8_t call_out[] = { 0xe8, 0xfb, 0xfb, 0xff, 0x3e };
static const uint8_t jump_out[] = { 0xe9, 0xfb, 0xfa, 0xff, 0x3e };
/* To somewhere that is no code. */
static const uint8_t jump_away[] = { 0xe9, 0x00, 0x00, 0x00, 0x50 };

static int read_text(void *source, uint64_t address, void *to, size_t size)
{
	(void)source;
	memcpy(to, text + (address - TEXT), size);
	return 0;
}

static bool is_entry(void *source, uint64_t address, enum poke_kind *kind)
{
	(void)source;
	*kind = POKE_TRACE;
	return address == FUNCTION;
}

static void put(uint64_t address, const uint8_t *bytes, size_t size)
{
	memcpy(text + (address - TEXT), bytes, size);
}

static int set_up(void **state)
{
	static struct poke_site sites[] = {
		{ STATIC_CALL, 0, POKE_CALL },
		{ SHORT_KEY, SHORT_KEY + 0x12, POKE_KEY },
		{ KEY, KEY + 0x85, POKE_KEY },
	};

	(void)state;
	pokes = (struct pokes){
		.sites = sites, .site_count = 3,
		.text = TEXT, .text_end = TEXT + SIZE,
		.other = MODULES, .other_end = MODULES + 0x10000000,
		.read = read_text, .is_entry = is_entry,
	};
	poke_sort(&pokes);
	memset(text, 0x90, sizeof(text));
	put(KEY, nop5, 5);
	put(SHORT_KEY, nop2, 2);
	put(FUNCTION, nop5, 5);
	put(STATIC_CALL, (const uint8_t[]){ 0xe8, 0, 0, 0, 0 }, 5);
	put(INSIDE, (const uint8_t[]){ 0x48, 0x89, 0xe5, 0x41, 0x57 }, 5);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	poke_exit(&pokes);
	return 0;
}

/* What is let through is carried out. */
static int store(uint64_t address, const uint8_t *bytes, size_t size,
		 enum poke_kind want)
{
	enum poke_kind kind;
	int err = poke_judge(&pokes, address, bytes, size, &kind);

	if (!err) {
		assert_int_equal(kind, want);
		put(address, bytes, size);
	}
	return err;
}

/* In the kernel's three steps. Returns what the last one came to. */
static int patch(uint64_t address, const uint8_t *code, size_t size,
		 enum poke_kind kind)
{
	const uint8_t int3 = INT3;

	assert_int_equal(store(address, &int3, 1, kind), 0);
	assert_int_equal(store(address + 1, code + 1, size - 1, kind), 0);
	return store(address, code, 1, kind);
}

static void static_keys(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_int_equal(patch(KEY, jump, 5, POKE_KEY), 0);
		assert_int_equal(patch(KEY, nop5, 5, POKE_KEY), 0);
		assert_int_equal(patch(SHORT_KEY, short_jump, 2, POKE_KEY), 0);
		assert_int_equal(patch(SHORT_KEY, nop2, 2, POKE_KEY), 0);
	}
	assert_memory_equal(text + 0x100, nop5, 5);
}

/* Neither another jump, nor more bytes than the instruction has. */
static void no_other_jump(void **state)
{
	static const uint8_t near[] = { 0xe9, 0x81, 0x00, 0x00, 0x00 };
	static const uint8_t ud[] = { 0x0f, 0x0b };
	const uint8_t int3 = INT3;

	(void)state;
	assert_int_equal(patch(KEY, near, 5, POKE_KEY), -EPERM);
	assert_int_equal(patch(SHORT_KEY, ud, 2, POKE_KEY), -EPERM);
	assert_int_equal(store(SHORT_KEY, &int3, 1, POKE_KEY), 0);
	assert_int_equal(store(SHORT_KEY + 1, nop5, 2, POKE_KEY), -EPERM);
	assert_int_equal(store(SHORT_KEY + 2, nop5, 1, POKE_PROBE), -EPERM);
}

static void static_calls(void **state)
{
	static const uint8_t zero[] = { 0x2e, 0x2e, 0x2e, 0x31, 0xc0 };
	static const uint8_t ret[] = { 0xc3, INT3, INT3, INT3, INT3 };
	static const uint8_t move[] = { 0xb8, 0x67, 0x12, 0x00, 0x00 };

	(void)state;
	assert_int_equal(patch(STATIC_CALL, zero, 5, POKE_CALL), 0);
	assert_int_equal(patch(STATIC_CALL, nop5, 5, POKE_CALL), 0);
	assert_int_equal(patch(STATIC_CALL, ret, 5, POKE_CALL), 0);
	assert_int_equal(patch(STATIC_CALL, jump, 5, POKE_CALL), 0);
	assert_int_equal(patch(STATIC_CALL, move, 5, POKE_CALL), -EPERM);
	assert_int_equal(patch(STATIC_CALL, jump_away, 5, POKE_CALL), -EPERM);
}

static void tracing(void **state)
{
	(void)state;
	assert_int_equal(patch(FUNCTION, call_out, 5, POKE_TRACE), 0);
	assert_int_equal(patch(FUNCTION, nop5, 5, POKE_TRACE), 0);
	assert_int_equal(patch(FUNCTION, jump_away, 5, POKE_TRACE), -EPERM);
}

/* An INT3 and the byte below it; or a jump to where it is stepped over. */
static void probes(void **state)
{
	static const uint8_t old[] = { 0x48, 0x89, 0xe5, 0x41, 0x57 };
	const uint8_t int3 = INT3, other = 0x90;

	(void)state;
	assert_int_equal(store(INSIDE, &int3, 1, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, &other, 1, POKE_PROBE), -EPERM);
	/* What follows is its own, and may change meanwhile. */
	text[INSIDE - TEXT + 3] = 0x42;
	assert_int_equal(store(INSIDE, old, 1, POKE_PROBE), 0);
	text[INSIDE - TEXT + 3] = 0x41;

	assert_int_equal(store(INSIDE, &int3, 1, POKE_PROBE), 0);
	assert_int_equal(patch(INSIDE, jump_out, 5, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, &int3, 1, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, old, 1, POKE_PROBE), -EPERM);
	assert_int_equal(store(INSIDE + 1, old + 1, 4, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, old, 1, POKE_PROBE), 0);
}

/* We come while a key is between two states, and a probe is set. */
static void under_way(void **state)
{
	const uint8_t old = 0x48, other = 0x90, int3 = INT3;

	(void)state;
	text[KEY - TEXT] = INT3;
	text[INSIDE - TEXT] = INT3;
	assert_int_equal(store(KEY + 1, jump + 1, 4, POKE_KEY), 0);
	assert_int_equal(store(KEY, jump, 1, POKE_KEY), 0);
	assert_int_equal(store(INSIDE, &old, 1, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, &old, 1, POKE_PROBE), -EPERM);
	/* From now on it is known. */
	assert_int_equal(store(INSIDE, &int3, 1, POKE_PROBE), 0);
	assert_int_equal(store(INSIDE, &other, 1, POKE_PROBE), -EPERM);
	assert_int_equal(store(INSIDE, &old, 1, POKE_PROBE), 0);
}

/* Probes that were set when we came go away, with a jump and with an INT3. */
static void probes_before(void **state)
{
	static const uint8_t old[] = { 0x48, 0x89, 0xe5, 0x41, 0x57 };
	static const uint8_t push = 0x55;
	const uint8_t int3 = INT3;

	(void)state;
	put(INSIDE, jump_out, 5);
	assert_int_equal(patch(INSIDE, old, 5, POKE_PROBE), 0);
	text[FUNCTION - TEXT] = INT3;
	assert_int_equal(store(FUNCTION, &push, 1, POKE_TRACE), 0);
	assert_int_equal(store(FUNCTION, &int3, 1, POKE_TRACE), 0);
	assert_int_equal(store(FUNCTION, old, 1, POKE_TRACE), -EPERM);
}

/* Not without an INT3, not several bytes at once, not elsewhere. */
static void no_patch(void **state)
{
	static const uint8_t code[] = { 0xb8, 0x67, 0x12, 0x00, 0x00, 0xc3 };
	const uint8_t int3 = INT3;

	(void)state;
	assert_int_equal(store(INSIDE, code, 6, POKE_PROBE), -EPERM);
	assert_int_equal(store(INSIDE, code, 1, POKE_PROBE), -EPERM);
	assert_int_equal(store(KEY, jump, 5, POKE_KEY), -EPERM);
	assert_int_equal(store(KEY, jump, 1, POKE_KEY), -EPERM);
	assert_int_equal(store(KEY + 1, jump, 4, POKE_KEY), -EPERM);
	assert_int_equal(store(TEXT - 1, &int3, 1, POKE_PROBE), -EPERM);
	assert_int_equal(store(TEXT + SIZE, &int3, 1, POKE_PROBE), -EPERM);
}

static void locks(void **state)
{
	const uint8_t lock = 0xf0, none = 0x3e;

	(void)state;
	text[INSIDE - TEXT] = none;
	assert_int_equal(store(INSIDE, &lock, 1, POKE_LOCK), 0);
	assert_int_equal(store(INSIDE, &none, 1, POKE_LOCK), -EPERM);
	assert_int_equal(store(INSIDE + 1, &lock, 1, POKE_LOCK), -EPERM);
}

/* Each byte by itself, as REP MOVSB has it; places that touch each other. */
static void bytewise(void **state)
{
	const uint64_t next = SHORT_KEY + 2;
	const uint8_t int3 = INT3, nop = 0x90;
	int i;

	(void)state;
	assert_int_equal(store(KEY, &int3, 1, POKE_KEY), 0);
	for (i = 1; i < 5; i++)
		assert_int_equal(store(KEY + i, jump + i, 1, POKE_KEY), 0);
	assert_int_equal(store(KEY, jump, 1, POKE_KEY), 0);

	assert_int_equal(store(SHORT_KEY, &int3, 1, POKE_KEY), 0);
	assert_int_equal(store(next, &int3, 1, POKE_PROBE), 0);
	assert_int_equal(store(next, &nop, 1, POKE_PROBE), 0);
	assert_int_equal(store(SHORT_KEY + 1, nop2 + 1, 1, POKE_KEY), 0);
	assert_int_equal(store(SHORT_KEY, nop2, 1, POKE_KEY), 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(static_keys), TEST(no_other_jump), TEST(static_calls),
		TEST(tracing), TEST(probes), TEST(under_way),
		TEST(probes_before), TEST(no_patch), TEST(locks),
		TEST(bytewise),
	};

	return cmocka_run_group_tests_name("poke", tests, NULL, NULL);
}
