// SPDX-License-Identifier: GPL-2.0-or-later
/* How often what happened in which process: a table now and then. */
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "trace.h"

#define NAME	64
#define ROWS	20	/* of a table that is one of many */

struct row {
	const char *subject;
	char name[NAME];
	struct process process;
	uint64_t all, last;
	uint64_t count;		/* of what is shown now */
};

struct rates {
	struct row *rows;
	size_t count, room;
};

struct rates *rates_new(void)
{
	return calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *rates)
{
	if (rates)
		free(rates->rows);
	free(rates);
}

static bool is_same(const struct row *row, const char *subject,
		    const char *name, const struct process *process)
{
	return row->subject == subject &&
	       row->process.is_known == process->is_known &&
	       row->process.pid == process->pid &&
	       !strcmp(row->name, name) &&
	       !strcmp(row->process.comm, process->comm);
}

static struct row *new_row(struct rates *rates)
{
	size_t room = rates->room ? 2 * rates->room : 64;
	struct row *rows;

	if (rates->count == rates->room) {
		rows = realloc(rates->rows, room * sizeof(*rows));
		if (!rows)
			return NULL;
		rates->rows = rows;
		rates->room = room;
	}
	rows = &rates->rows[rates->count++];
	*rows = (struct row){ 0 };
	return rows;
}

static struct row *find_row(struct rates *rates, const char *subject,
			    const char *name, const struct process *process)
{
	struct row *row;
	size_t i;

	for (i = 0; i < rates->count; i++)
		if (is_same(&rates->rows[i], subject, name, process))
			return &rates->rows[i];
	row = new_row(rates);
	if (row) {
		row->subject = subject;
		row->process = *process;
		snprintf(row->name, sizeof(row->name), "%s", name);
	}
	return row;
}

void rates_count(struct rates *rates, const char *subject, const char *name,
		 const struct process *process)
{
	char cut[NAME];
	struct row *row;

	snprintf(cut, sizeof(cut), "%s", name ? name : "");
	row = find_row(rates, subject, cut, process);
	if (!row)	/* no memory: the sum has it */
		return;
	row->all++;
	row->last++;
}

static int compare(const void *a, const void *b)
{
	const struct row *one = a, *other = b;

	return one->count < other->count ? 1 : one->count > other->count ? -1 : 0;
}

static void add_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *json_row(const struct row *row, double seconds)
{
	struct json_object *o = json_object_new_object();
	double rate = (double)row->count / seconds;

	add_text(o, "event", row->subject);
	if (*row->name)
		add_text(o, "name", row->name);
	if (row->process.is_known) {
		json_object_object_add(o, "pid",
				       json_object_new_int(row->process.pid));
		add_text(o, "comm", row->process.comm);
	}
	json_object_object_add(o, "count",
			       json_object_new_int64((int64_t)row->count));
	json_object_object_add(o, "per_second", json_object_new_double(rate));
	return o;
}

static void print_object(const struct rates *rates, double time,
			 double seconds, bool is_all)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array();
	const struct row *row;

	for (row = rates->rows; row < rates->rows + rates->count; row++)
		if (row->count)
			json_object_array_add(array, json_row(row, seconds));
	json_object_object_add(o, "time", json_object_new_double(time));
	json_object_object_add(o, "seconds", json_object_new_double(seconds));
	json_object_object_add(o, "is_all", json_object_new_boolean(is_all));
	json_object_object_add(o, "rates", array);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void add_line(struct libscols_table *table, const struct row *row,
		     double seconds)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[32];

	scols_line_set_data(line, 0, row->subject);
	scols_line_set_data(line, 1, row->name);
	snprintf(text, sizeof(text), "%d", row->process.pid);
	scols_line_set_data(line, 2, row->process.is_known ? text : "-");
	scols_line_set_data(line, 3, row->process.is_known ?
			    row->process.comm : "-");
	snprintf(text, sizeof(text), "%" PRIu64, row->count);
	scols_line_set_data(line, 4, text);
	snprintf(text, sizeof(text), "%.1f", (double)row->count / seconds);
	scols_line_set_data(line, 5, text);
}

static void print_table(const struct rates *rates, double time, double seconds,
			size_t rows)
{
	struct libscols_table *table = scols_new_table();
	size_t i, shown = 0, left = 0;

	scols_table_new_column(table, "EVENT", 0, 0);
	scols_table_new_column(table, "NAME", 0, 0);
	scols_table_new_column(table, "PID", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "COMM", 0, 0);
	scols_table_new_column(table, "COUNT", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "PER SECOND", 0, SCOLS_FL_RIGHT);
	for (i = 0; i < rates->count && rates->rows[i].count; i++) {
		if (shown++ < rows)
			add_line(table, &rates->rows[i], seconds);
		else
			left++;
	}
	printf("at %.1f s, in %.1f s%s\n", time, seconds,
	       shown ? ":" : ": nothing");
	if (shown)
		scols_print_table(table);
	if (left)
		printf("and %zu more\n", left);
	putchar('\n');
	scols_unref_table(table);
}

void rates_show(struct rates *rates, double time, double seconds, bool is_all,
		bool is_json)
{
	size_t i;

	if (seconds <= 0)
		seconds = 0.001;
	for (i = 0; i < rates->count; i++) {
		rates->rows[i].count = is_all ? rates->rows[i].all :
						rates->rows[i].last;
		rates->rows[i].last = 0;
	}
	if (rates->count)
		qsort(rates->rows, rates->count, sizeof(*rates->rows), compare);
	if (is_json)
		print_object(rates, time, seconds, is_all);
	else
		print_table(rates, time, seconds, is_all ? SIZE_MAX : ROWS);
}
