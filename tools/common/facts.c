// SPDX-License-Identifier: GPL-2.0-or-later
/* What is told of one thing: a table of names and values, without a heading. */
#include <stdarg.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "facts.h"

struct libscols_table *facts_new(void)
{
	struct libscols_table *facts = scols_new_table();

	if (!facts)
		return NULL;
	scols_table_new_column(facts, "NAME", 0, 0);
	scols_table_new_column(facts, "VALUE", 0, 0);
	scols_table_enable_noheadings(facts, 1);
	return facts;
}

void facts_add(struct libscols_table *facts, const char *name,
	       const char *format, ...)
{
	struct libscols_line *line;
	va_list args;
	char *text;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	line = facts && size >= 0 ? scols_table_new_line(facts, NULL) : NULL;
	if (line) {
		scols_line_set_data(line, 0, name);
		scols_line_set_data(line, 1, text);
	}
	if (size >= 0)
		free(text);
}

void facts_print(struct libscols_table *facts, FILE *to)
{
	if (!facts)
		return;
	scols_table_set_stream(facts, to);
	scols_print_table(facts);
	scols_unref_table(facts);
}
