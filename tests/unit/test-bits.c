// SPDX-License-Identifier: GPL-2.0-or-later
/* Which bits of a control register changed, by their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/trace/trace.h"

static void expect_bits(const char *wanted, enum subject what, uint64_t before,
			uint64_t now)
{
	char text[160];

	assert_string_equal(wanted, bits_changed(what, before, now, text,
						 sizeof(text)));
}

static void test_bits(void **state)
{
	(void)state;
	expect_bits("", CR0, 0x80050033, 0x80050033);
	expect_bits("-WP", CR0, 0x80050033, 0x80040033);
	expect_bits("+PE +PG", CR0, 0x10, 0x80000011);
	expect_bits("-SMEP -SMAP", CR4, 0x3006f0, 0x6f0);
	expect_bits("+PGE", CR4, 0x670, 0x6f0);
	expect_bits("+SVME", MSR, 0xd01, 0x1d01);
	/* That is an address. */
	expect_bits("", CR3, 0x1000, 0x2000);
	/* Nobody has named these. */
	expect_bits("", CR0, 0, 0x40);
}

static void test_room(void **state)
{
	char text[8];

	(void)state;
	memset(text, '#', sizeof(text));
	assert_string_equal("+VM", bits_changed(CR4, 0, UINT64_MAX, text, 4));
	assert_int_equal('#', text[4]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
