// SPDX-License-Identifier: GPL-2.0-only
/*
 * The matrix for people: a line for each row of the table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "matrix.h"

static const char *const words[] = {
	[PLANNED] = "planned", [EXCUSED] = "excused", [MISSING] = "MISSING",
};

/* The names of a row's cells that are in this state. */
static void print_names(FILE *out, int first, int end, enum vendor vendor,
			enum state state)
{
	const char *before = words[state];
	int i;

	for (i = first; i < end; i++) {
		if (cell_state(&cells[i], vendor) != state)
			continue;
		if (before)
			fprintf(out, ", %s", before);
		if (*cells[i].column)
			fprintf(out, " %s", cells[i].column);
		before = NULL;
	}
}

/* What of the row is proven, by number, and what is not, by name. */
static char *tell(int first, int end, enum vendor vendor)
{
	int i, proven = 0;
	char *text = NULL;
	size_t size;
	FILE *out;

	for (i = first; i < end; i++)
		proven += cell_state(&cells[i], vendor) == PROVEN;
	out = open_memstream(&text, &size);
	if (!out)
		exit(2);
	if (proven == end - first)
		fprintf(out, "all %d", proven);
	else
		fprintf(out, "%d of %d", proven, end - first);
	for (i = PLANNED; i <= MISSING; i++)
		print_names(out, first, end, vendor, i);
	fclose(out);
	return text;
}

static struct libscols_table *table_of(const char *a, const char *b,
				       const char *c)
{
	struct libscols_table *table = scols_new_table();

	scols_table_new_column(table, a, 0, 0);
	scols_table_new_column(table, b, 0, SCOLS_FL_WRAP);
	scols_table_new_column(table, c, 0, SCOLS_FL_WRAP);
	return table;
}

static void print_table(struct libscols_table *table)
{
	scols_print_table(table);
	scols_unref_table(table);
}

static void show_rows(void)
{
	struct libscols_table *table = table_of("PROVEN", "AMD", "INTEL");
	struct libscols_line *line;
	int first, end;

	for (first = 0; first < cell_count; first = end) {
		end = cells_next_row(first);
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, cells[first].row);
		scols_line_refer_data(line, 1, tell(first, end, AMD));
		scols_line_refer_data(line, 2, tell(first, end, INTEL));
	}
	print_table(table);
}

static void show_excuses(void)
{
	struct libscols_table *table = table_of("EXCUSED", "ON", "BECAUSE");
	struct libscols_line *line;
	int i;

	for (i = 0; i < excuse_count; i++) {
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, excuses[i].cell);
		scols_line_set_data(line, 1, vendor_names[excuses[i].vendor]);
		scols_line_set_data(line, 2, excuses[i].reason);
	}
	putchar('\n');
	print_table(table);
}

void show(void)
{
	show_rows();
	if (excuse_count)
		show_excuses();
	putchar('\n');
}
