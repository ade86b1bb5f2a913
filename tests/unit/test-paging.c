// SPDX-License-Identifier: GPL-2.0-or-later
/* The guest's page tables: 4 and 5 levels, pages of each size, their rights. */
#include <errno.h>
#include <stdlib.h>

#include "../../lib/profile/paging.h"
#include "rig.h"

#define TABLES	8
#define ENTRIES	512
#define LARGE	(1ull << 7)
#define FLAGS	(MAPPED_PRESENT | MAPPED_WRITE)

/* Table @n lies at (n + 1) pages; what is not there is no memory. */
static uint64_t tables[TABLES][ENTRIES];

static int read_page(void *source, uint64_t gpa, uint64_t *page)
{
	size_t n = gpa / IMAGE_PAGE - 1;

	(void)source;
	if (gpa % IMAGE_PAGE || n >= TABLES)
		return gpa == 0x666000 ? -ETIMEDOUT : -ENOENT;
	memcpy(page, tables[n], IMAGE_PAGE);
	return 0;
}

static uint64_t at(size_t n)
{
	return (n + 1) * IMAGE_PAGE;
}

static int setup(void **state)
{
	struct paging *p = calloc(1, sizeof(*p));

	memset(tables, 0, sizeof(tables));
	p->read = read_page;
	p->levels = 4;
	p->root = at(0);
	p->pages = calloc(WINDOW_PAGES, sizeof(*p->pages));
	tables[0][511] = at(1) | FLAGS;
	tables[1][510] = at(2) | FLAGS;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct paging *p = *state;

	free(p->pages);
	free(p);
	return 0;
}

static void expect_page(const struct paging *p, size_t page, uint64_t want)
{
	assert_int_equal(p->pages[page], want);
}

static void pages_of_2_mib(void **state)
{
	struct paging *p = *state;

	/* Bit 12 of a large entry is no address. */
	tables[2][8] = 0x40000000 | 0x1000 | LARGE | FLAGS;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 8 * 512 - 1, 0);
	expect_page(p, 8 * 512, 0x40000000 | FLAGS);
	expect_page(p, 9 * 512 - 1, (0x401ff000) | FLAGS);
	expect_page(p, 9 * 512, 0);
}

static void pages_of_4_kib(void **state)
{
	struct paging *p = *state;

	tables[2][511] = at(3) | FLAGS;
	tables[3][0] = 0x1234000 | FLAGS | MAPPED_NX;
	/* Bit 7 of a small one is no size, and bits above 52 are no address. */
	tables[3][511] = 0x5678000 | LARGE | FLAGS | 1ull << 59;
	tables[3][1] = 0x9abc000;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 511 * 512, 0x1234000 | FLAGS | MAPPED_NX);
	expect_page(p, 511 * 512 + 1, 0);
	expect_page(p, WINDOW_PAGES - 1, 0x5678000 | FLAGS);
}

static void a_page_of_1_gib(void **state)
{
	struct paging *p = *state;

	tables[1][510] = 0x80000000 | LARGE | FLAGS;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 0, 0x80000000 | FLAGS);
	expect_page(p, WINDOW_PAGES - 1, 0xbffff000 | FLAGS);
}

static void five_levels(void **state)
{
	struct paging *p = *state;

	tables[4][511] = at(0) | FLAGS;
	tables[2][8] = 0x40000000 | LARGE | FLAGS;
	p->levels = 5;
	p->root = at(4);
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 8 * 512, 0x40000000 | FLAGS);
	/* Taken for four levels they lead elsewhere. */
	p->levels = 4;
	assert_int_equal(paging_read(p), -EFAULT);
}

static void rights_are_those_of_all_levels(void **state)
{
	struct paging *p = *state;

	tables[2][1] = 0x40000000 | LARGE | MAPPED_PRESENT | MAPPED_NX;
	tables[2][2] = at(3) | MAPPED_PRESENT | MAPPED_NX;
	tables[3][0] = 0x1000 | FLAGS;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 512, 0x40000000 | MAPPED_PRESENT | MAPPED_NX);
	expect_page(p, 1024, 0x1000 | MAPPED_PRESENT | MAPPED_NX);
	tables[0][511] &= ~MAPPED_WRITE;
	tables[2][2] = at(3) | FLAGS;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 1024, 0x1000 | MAPPED_PRESENT);
}

static void tables_that_are_not_there(void **state)
{
	struct paging *p = *state;

	tables[2][0] = 0x777000 | FLAGS;
	tables[2][1] = 0x40000000 | LARGE | FLAGS;
	assert_int_equal(paging_read(p), 0);
	expect_page(p, 0, 0);
	expect_page(p, 512, 0x40000000 | FLAGS);
	/* An error is no hole. */
	tables[2][0] = 0x666000 | FLAGS;
	assert_int_equal(paging_read(p), -ETIMEDOUT);
	tables[1][510] = 0x777000 | FLAGS;
	assert_int_equal(paging_read(p), -EFAULT);
	tables[1][510] = 0;
	assert_int_equal(paging_read(p), -EFAULT);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void expect_gpa(const struct paging *p, uint64_t gva, uint64_t want)
{
	uint64_t gpa = 0;

	assert_int_equal(paging_translate(p, gva, &gpa), 0);
	assert_int_equal(gpa, want);
}

static void expect_no_gpa(const struct paging *p, uint64_t gva, int err)
{
	uint64_t gpa;

	assert_int_equal(paging_translate(p, gva, &gpa), err);
}

static void one_address(void **state)
{
	const uint64_t low = 1ull << 39, high = 0xffff888000000000;
	struct paging *p = *state;

	tables[0][1] = at(3) | FLAGS;
	tables[3][0] = 0x1c0000000 | 0x1000 | LARGE | FLAGS;
	tables[3][1] = at(4) | FLAGS;
	tables[4][511] = 0x40200000 | 0x1000 | LARGE | FLAGS;
	tables[4][0] = at(5) | FLAGS;
	tables[5][7] = 0x1234000 | MAPPED_PRESENT | MAPPED_NX;
	tables[4][1] = 0x555000 | FLAGS;
	tables[4][2] = 0x666000 | FLAGS;
	tables[0][273] = at(3) | FLAGS;
	expect_gpa(p, low + 0x3fffffff, 0x1ffffffff);
	expect_gpa(p, low + 0x7fe00001, 0x40200001);
	expect_gpa(p, low + 0x40007ff8, 0x1234ff8);
	expect_gpa(p, high + 5, 0x1c0000005);
	expect_no_gpa(p, low + 0x40008000, -EFAULT);
	expect_no_gpa(p, 0, -EFAULT);
	expect_no_gpa(p, low + 0x40200000, -EFAULT);
	expect_no_gpa(p, low + 0x40400000, -ETIMEDOUT);
	/* Between the halves there is nothing, whatever the tables have. */
	expect_no_gpa(p, high - (1ull << 48), -EFAULT);
	expect_no_gpa(p, high & 0x0000ffffffffffff, -EFAULT);
}

static void one_address_of_five_levels(void **state)
{
	struct paging *p = *state;

	p->levels = 5;
	tables[0][273] = at(6) | FLAGS;
	tables[6][0] = at(7) | FLAGS;
	tables[7][0] = LARGE | FLAGS;
	expect_gpa(p, 0xff11000000001234, 0x1234);
	expect_no_gpa(p, 0xfe11000000001234, -EFAULT);
	expect_no_gpa(p, 0xff11008000001234, -EFAULT);
	/* No page is as large as the entries of these levels. */
	tables[6][1] = LARGE | FLAGS;
	expect_no_gpa(p, 0xff11008000001234, -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(pages_of_2_mib),
		test(pages_of_4_kib),
		test(a_page_of_1_gib),
		test(five_levels),
		test(rights_are_those_of_all_levels),
		test(tables_that_are_not_there),
		test(one_address),
		test(one_address_of_five_levels),
	};

	return cmocka_run_group_tests_name("paging", tests, NULL, NULL);
}
