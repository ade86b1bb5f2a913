// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of kallsyms: all orders that kernels have, and damaged ones. */
#include <errno.h>
#include <stdlib.h>

#include "made.h"
#include "rig.h"

static void expect_symbols(const struct made *made,
			   const struct symbols *symbols)
{
	char name[512];
	uint32_t i;

	assert_int_equal(symbols->count, made->count);
	for (i = 0; i < made->count; i++) {
		made_name(i, name);
		assert_int_equal(symbols->list[i].type, name[0]);
		assert_string_equal(symbols->list[i].name, name + 1);
		assert_int_equal(symbols->list[i].address,
				 made_address(made, i));
		assert_int_equal(symbols->list[i].is_absolute,
				 made->has_absolute && i < 10);
	}
}

static void expect_found(struct made made)
{
	struct kallsyms tables;
	struct symbols symbols;
	struct image image;

	make_tables(&made, &image);
	assert_int_equal(kallsyms_find(&tables, &image), 0);
	assert_int_equal(tables.order, made.order);
	assert_int_equal(tables.count, made.count);
	assert_int_equal(tables.names, made.names);
	assert_int_equal(tables.markers, made.markers);
	assert_int_equal(tables.token_table, made.token_table);
	assert_int_equal(tables.offsets, made.offsets);
	assert_int_equal(tables.base, MADE_BASE);
	assert_int_equal(kallsyms_read(&tables, &symbols), 0);
	expect_symbols(&made, &symbols);
	symbols_free(&symbols);
	image_exit(&image);
}

static void every_order_is_found(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		expect_found((struct made){
			.order = i & 1 ? OFFSETS_FIRST : OFFSETS_LAST,
			.has_sequence = i & 2,
			.has_absolute = i & 4,
		});
}

/* A marker more or less, and padding or none behind each table. */
static void every_count_is_found(void **state)
{
	static const uint32_t counts[] = { 20, 255, 256, 257, 511, 512, 513 };
	struct made made = { .has_sequence = true };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		made.count = counts[i];
		made.order = OFFSETS_FIRST;
		expect_found(made);
		made.order = OFFSETS_LAST;
		expect_found(made);
	}
}

/* The tables with a byte changed are none. */
static void expect_lost(struct made made, size_t where, uint8_t byte)
{
	const uint64_t *fields[] = {
		&made.count_at, &made.markers, &made.token_index,
		&made.offsets, &made.base,
	};
	struct kallsyms tables;
	struct image image;

	make_tables(&made, &image);
	image.bytes[*fields[where] + 4 - image.start] ^= byte;
	assert_int_equal(kallsyms_find(&tables, &image), -ENOENT);
	image_exit(&image);
}

static void damaged_tables_are_none(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		expect_lost((struct made){ .order = OFFSETS_LAST }, i, 0x7f);
		expect_lost((struct made){ .order = OFFSETS_FIRST }, i, 0x7f);
	}
}

static void nothing_is_found_in_nothing(void **state)
{
	struct kallsyms tables;
	struct image image;
	size_t i;

	(void)state;
	assert_int_equal(image_init(&image, MADE_BASE, MADE_BASE + 1), 0);
	assert_int_equal(kallsyms_find(&tables, &image), -ENOENT);
	assert_int_equal(image_add_span(&image, image.start, image.end), 0);
	assert_int_equal(kallsyms_find(&tables, &image), -ENOENT);
	for (i = 0; i < image.end - image.start; i++)
		image.bytes[i] = (uint8_t)(i * 2654435761u >> 11);
	assert_int_equal(kallsyms_find(&tables, &image), -ENOENT);
	image_exit(&image);
}

/* What a guest puts there shall not reach a terminal. */
static void names_are_printable(void **state)
{
	struct made made = { .order = OFFSETS_LAST };
	struct kallsyms tables;
	struct symbols symbols;
	struct image image;
	uint8_t *letter;

	(void)state;
	make_tables(&made, &image);
	assert_int_equal(kallsyms_find(&tables, &image), 0);
	letter = image.bytes + (tables.token_table - image.start) +
		 tables.index['x'];
	assert_int_equal(*letter, 'x');
	*letter = '\033';
	assert_int_equal(kallsyms_read(&tables, &symbols), -EBADMSG);
	image_exit(&image);
}

struct half {
	struct image *whole;
	uint64_t hole;		/* a page that is not there */
	size_t fetched;
};

static int fetch(struct image *image, uint64_t from, size_t pages)
{
	struct half *half = image->source;
	size_t page = (from - image->start) / IMAGE_PAGE;

	half->fetched += pages;
	memcpy(image->bytes + page * IMAGE_PAGE,
	       half->whole->bytes + page * IMAGE_PAGE, pages * IMAGE_PAGE);
	memset(image->present + page, 1, pages);
	if (half->hole)
		image->present[(half->hole - image->start) / IMAGE_PAGE] = 0;
	return 0;
}

static int find_in_parts(struct image *whole, uint64_t hole, size_t *fetched)
{
	struct half half = { .whole = whole, .hole = hole };
	struct kallsyms tables;
	struct image image;
	int err;

	assert_int_equal(image_init(&image, whole->start, whole->end), 0);
	image.present = calloc((whole->end - whole->start) / IMAGE_PAGE, 1);
	image.fetch = fetch;
	image.source = &half;
	image_add_span(&image, whole->start, whole->end);
	err = kallsyms_find(&tables, &image);
	*fetched = half.fetched;
	image_exit(&image);
	return err;
}

static void parts_are_fetched_when_needed(void **state)
{
	struct made made = { .order = OFFSETS_LAST };
	struct image whole;
	size_t fetched;

	(void)state;
	make_tables(&made, &whole);
	assert_int_equal(find_in_parts(&whole, 0, &fetched), 0);
	assert_true(fetched * IMAGE_PAGE < whole.end - whole.start);
	assert_int_equal(find_in_parts(&whole, made.names, &fetched), -ENOENT);
	image_exit(&whole);
}

static void a_global_symbol_comes_first(void **state)
{
	struct symbol list[] = {
		{ 1, "twice", 't', false }, { 2, "twice", 'T', false },
		{ 3, "once", 'd', false },
	};
	struct symbols symbols = { .list = list, .count = 3 };

	(void)state;
	assert_ptr_equal(symbols_find(&symbols, "twice"), &list[1]);
	assert_ptr_equal(symbols_find(&symbols, "once"), &list[2]);
	assert_null(symbols_find(&symbols, "never"));
}

static void of_several_the_best_name_counts(void **state)
{
	struct symbol list[] = {
		{ 8, "inner", 't', false }, { 8, "__ia32_sys_x", 'T', false },
		{ 8, "__x64_sys_x", 'T', false }, { 8, "later", 'T', false },
		{ 16, "local", 't', false }, { 24, "fixed", 'A', true },
	};
	struct symbols symbols = { .list = list, .count = 6 };
	uint64_t next;

	(void)state;
	assert_ptr_equal(symbols_at(&symbols, 12, &next), &list[2]);
	assert_int_equal(next, 16);
	assert_ptr_equal(symbols_at(&symbols, 16, &next), &list[4]);
	assert_int_equal(next, 24);
	assert_null(symbols_at(&symbols, 7, &next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_order_is_found),
		cmocka_unit_test(every_count_is_found),
		cmocka_unit_test(damaged_tables_are_none),
		cmocka_unit_test(nothing_is_found_in_nothing),
		cmocka_unit_test(names_are_printable),
		cmocka_unit_test(parts_are_fetched_when_needed),
		cmocka_unit_test(a_global_symbol_comes_first),
		cmocka_unit_test(of_several_the_best_name_counts),
	};

	return cmocka_run_group_tests_name("kallsyms", tests, NULL, NULL);
}
