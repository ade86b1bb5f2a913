// SPDX-License-Identifier: GPL-2.0-or-later
/* What a search has found, as a table or as JSON. */
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "matches.h"

#define TEXT	129
#define SYMBOL	96

struct matches {
	struct json_object *json;	/* or */
	struct libscols_table *table;
};

struct matches *matches_new(bool is_json, bool is_virtual)
{
	struct matches *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (is_json) {
		m->json = json_object_new_array();
		return m;
	}
	m->table = scols_new_table();
	if (is_virtual)
		scols_table_new_column(m->table, "GVA", 0, 0);
	scols_table_new_column(m->table, "GPA", 0, 0);
	if (is_virtual)
		scols_table_new_column(m->table, "SYMBOL", 0, 0);
	scols_table_new_column(m->table, "TEXT", 0, 0);
	return m;
}

static void add_object(struct matches *m, bool has_gva, uint64_t gva,
		       uint64_t gpa, const char *symbol, const uint8_t *bytes,
		       size_t size)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "gpa", json_gpa(gpa));
	json_object_object_add(o, "context", json_hex(bytes, size));
	if (has_gva) {
		json_object_object_add(o, "gva", json_gpa(gva));
		json_object_object_add(o, "symbol", symbol ?
				       json_object_new_string(symbol) : NULL);
	}
	json_object_array_add(m->json, o);
}

static void add_line(struct matches *m, bool has_gva, uint64_t gva,
		     uint64_t gpa, const char *symbol, const uint8_t *bytes,
		     size_t size)
{
	struct libscols_line *line = scols_table_new_line(m->table, NULL);
	char text[TEXT];
	size_t i, n = 0;

	snprintf(text, sizeof(text), "0x%016" PRIx64, gva);
	if (has_gva)
		scols_line_set_data(line, n++, text);
	snprintf(text, sizeof(text), "0x%" PRIx64, gpa);
	scols_line_set_data(line, n++, text);
	if (has_gva)
		scols_line_set_data(line, n++, symbol ? symbol : "-");
	for (i = 0; i < size; i++)
		text[i] = bytes[i] >= ' ' && bytes[i] < 0x7f ? (char)bytes[i] :
							       '.';
	text[size] = '\0';
	scols_line_set_data(line, n, text);
}

/* A process's own addresses have no symbol. */
static const char *name(struct view *view, uint64_t gva, char *text,
			size_t room)
{
	if (!view || view->has_root)
		return NULL;
	view_format(view, gva, text, room);
	return strncmp(text, "0x", 2) ? text : NULL;
}

void matches_add(struct matches *m, struct view *view, uint64_t gva,
		 uint64_t gpa, const uint8_t *bytes, size_t size)
{
	char text[SYMBOL];
	const char *symbol = name(view, gva, text, sizeof(text));

	size = size < TEXT ? size : TEXT - 1;
	(m->json ? add_object : add_line)(m, view, gva, gpa, symbol, bytes,
					  size);
}

void matches_print(struct matches *m)
{
	if (m->json)
		print_json(json_object_get(m->json));
	else if (scols_table_get_nlines(m->table))
		scols_print_table(m->table);
}

void matches_free(struct matches *m)
{
	if (!m)
		return;
	json_object_put(m->json);
	scols_unref_table(m->table);
	free(m);
}
