// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of kvmi trace: how often each kind of event came. */
#include <inttypes.h>

#include <libsmartcols.h>

#include "trace.h"

static void sum_json(const struct trace *t, double seconds)
{
	struct json_object *o = json_object_new_object();
	struct json_object *row;
	double rate;
	int i;

	json_object_object_add(o, "seconds", json_object_new_double(seconds));
	for (i = 0; i < WHATS; i++) {
		if (!t->wanted[i])
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "count",
				       json_object_new_int64((int64_t)t->counts[i]));
		rate = (double)t->counts[i] / seconds;
		json_object_object_add(row, "per_second",
				       json_object_new_double(rate));
		json_object_object_add(o, subject_names[i], row);
	}
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void add_sum(struct libscols_table *table, const char *name,
		    uint64_t count, double seconds)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[32];

	scols_line_set_data(line, 0, name);
	snprintf(text, sizeof(text), "%" PRIu64, count);
	scols_line_set_data(line, 1, text);
	snprintf(text, sizeof(text), "%.1f", seconds);
	scols_line_set_data(line, 2, text);
	snprintf(text, sizeof(text), "%.1f", (double)count / seconds);
	scols_line_set_data(line, 3, text);
}

static void sum_table(const struct trace *t, double seconds)
{
	struct libscols_table *table = scols_new_table();
	int i;

	scols_table_new_column(table, "EVENT", 0, 0);
	scols_table_new_column(table, "COUNT", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "SECONDS", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "PER SECOND", 0, SCOLS_FL_RIGHT);
	for (i = 0; i < WHATS; i++)
		if (t->wanted[i])
			add_sum(table, subject_names[i], t->counts[i], seconds);
	scols_print_table(table);
	scols_unref_table(table);
}

void sum_print(const struct trace *t, double seconds)
{
	(t->is_json ? sum_json : sum_table)(t, seconds);
}
