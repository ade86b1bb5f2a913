// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmi protect says that an instruction is about to store. */
#include <errno.h>

#include "../../tools/protect/store.h"
#include "rig.h"

static const struct kvmi_vcpu_event_arch arch = {
	.mode = 8,
	.regs = {
		.rax = 0x1122334455667788, .rbx = 0x100, .rcx = 3,
		.rdx = 0x10, .rsi = 0x5000, .rdi = 0x6000, .rsp = 0x7000,
		.r8 = 0xa1b2c3d4, .r11 = 0x99, .rip = 0xffffffff81000000,
	},
	.sregs = { .gs.base = 0x900000, .fs.base = 0x800000 },
};

static int read_guest(void *source, uint64_t gva, void *to, size_t size)
{
	(void)source;
	if (gva != 0x5000)
		return -EFAULT;
	memset(to, 0x5a, size);
	return 0;
}

static void known(void **state)
{
	static const struct {
		uint8_t code[12];
		size_t length;
		uint64_t gva;
		size_t size;
		uint8_t bytes[8];
	} cases[] = {
		/* mov %rax, (%rdi) */
		{ { 0x48, 0x89, 0x07 }, 3, 0x6000, 8,
		  { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 } },
		/* mov %ah, 1(%rdi) */
		{ { 0x88, 0x67, 0x01 }, 3, 0x6001, 1, { 0x77 } },
		/* mov %r8d, -4(%rdi,%rdx) */
		{ { 0x44, 0x89, 0x44, 0x17, 0xfc }, 5, 0x600c, 4,
		  { 0xd4, 0xc3, 0xb2, 0xa1 } },
		/* mov %r11b, (%rdi,%rbx,4) */
		{ { 0x44, 0x88, 0x1c, 0x9f }, 4, 0x6400, 1, { 0x99 } },
		/* movl $0x12345678, 8(%rsp) */
		{ { 0xc7, 0x44, 0x24, 0x08, 0x78, 0x56, 0x34, 0x12 }, 8,
		  0x7008, 4, { 0x78, 0x56, 0x34, 0x12 } },
		/* movb $1, 0x10(%rip) */
		{ { 0xc6, 0x05, 0x10, 0x00, 0x00, 0x00, 0x01 }, 7,
		  0xffffffff81000017, 1, { 0x01 } },
		/* movb $2, %gs:(%rbx) */
		{ { 0x65, 0xc6, 0x03, 0x02 }, 4, 0x900100, 1, { 0x02 } },
		/* rep movsb, rep stosb */
		{ { 0xf3, 0xa4 }, 2, 0x6000, 1, { 0x5a } },
		{ { 0xf3, 0xaa }, 2, 0x6000, 1, { 0x88 } },
		/* movsq */
		{ { 0x48, 0xa5 }, 2, 0x6000, 8,
		  { 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a, 0x5a } },
	};
	struct store store;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(store_decode(&store, &arch, cases[i].code,
					      cases[i].length, read_guest,
					      NULL), 0);
		assert_true(store.is_known);
		assert_int_equal(store.gva, cases[i].gva);
		assert_int_equal(store.size, cases[i].size);
		assert_memory_equal(store.bytes, cases[i].bytes, store.size);
	}
}

/* Where and how much can be told, and not what. */
static void unknown(void **state)
{
	static const uint8_t add[] = { 0x48, 0x01, 0x07 };
	static const uint8_t vector[] = { 0x0f, 0x11, 0x07 };
	struct store store;

	(void)state;
	assert_int_equal(store_decode(&store, &arch, add, 3, read_guest, NULL),
			 0);
	assert_false(store.is_known);
	assert_int_equal(store.gva, 0x6000);
	assert_int_equal(store.size, 8);
	assert_int_equal(store_decode(&store, &arch, vector, 3, read_guest,
				      NULL), 0);
	assert_false(store.is_known);
	assert_int_equal(store.size, 16);
}

static void none(void **state)
{
	static const uint8_t load[] = { 0x48, 0x8b, 0x07 };
	static const uint8_t cut[] = { 0x48 };
	struct kvmi_vcpu_event_arch other = arch;
	struct store store;

	(void)state;
	assert_int_equal(store_decode(&store, &arch, load, 3, read_guest, NULL),
			 -ENOENT);
	assert_int_equal(store_decode(&store, &arch, cut, 1, read_guest, NULL),
			 -ENOENT);
	other.mode = 4;
	assert_int_equal(store_decode(&store, &other, load, 3, read_guest,
				      NULL), -ENOENT);
}

static void operands(void **state)
{
	static const uint8_t lidt[] = { 0x0f, 0x01, 0x1c, 0x24 };
	static const uint8_t lgdt[] = { 0x0f, 0x01, 0x56, 0x20 };
	uint64_t gva;

	(void)state;
	assert_int_equal(store_operand(&gva, &arch, lidt, 4), 0);
	assert_int_equal(gva, 0x7000);
	assert_int_equal(store_operand(&gva, &arch, lgdt, 4), 0);
	assert_int_equal(gva, 0x5020);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known), cmocka_unit_test(unknown),
		cmocka_unit_test(none), cmocka_unit_test(operands),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
