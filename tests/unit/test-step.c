// SPDX-License-Identifier: GPL-2.0-or-later
/* Which instructions kvmi trace steps over, and how far. */
#include "../../tools/common/step.h"
#include "rig.h"

static void nops_and_endbr(void **state)
{
	static const struct {
		uint8_t code[10];
		size_t size;
	} known[] = {
		{ { 0x90 }, 1 },
		{ { 0x66, 0x90 }, 2 },
		{ { 0x0f, 0x1f, 0x00 }, 3 },
		{ { 0x0f, 0x1f, 0x40, 0x00 }, 4 },
		{ { 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 5 },
		{ { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 }, 6 },
		{ { 0x0f, 0x1f, 0x80 }, 7 },
		{ { 0x0f, 0x1f, 0x84 }, 8 },
		{ { 0x66, 0x2e, 0x0f, 0x1f, 0x84 }, 10 },
		{ { 0xf3, 0x0f, 0x1e, 0xfa }, 4 },
		{ { 0xf3, 0x0f, 0x1e, 0xfb }, 4 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(step_size(known[i].code, 10), known[i].size);
		/* Cut by the end of the page it is not sure. */
		assert_int_equal(step_size(known[i].code, known[i].size - 1),
				 0);
	}
}

static void everything_else_is_none(void **state)
{
	static const uint8_t others[][10] = {
		{ 0x0f, 0x01, 0xf8 },	/* swapgs */
		{ 0x55 },		/* push %rbp */
		{ 0xf3, 0x90 },		/* pause */
		{ 0xcc },
		{ 0x0f, 0x1f, 0x08 },	/* not /0 */
		{ 0x66, 0x66, 0x66, 0x66, 0x66, 0x90 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(step_size(others[i], 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nops_and_endbr),
		cmocka_unit_test(everything_else_is_none),
	};

	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
