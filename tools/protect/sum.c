// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of kvmi protect: what was tried, and what was let through. */
#include <inttypes.h>

#include <libsmartcols.h>

#include "protect.h"

static const char *const what_names[WHATS] = {
	"text", "rodata", "idt", "gdt", "control register", "msr", "table register",
};

static struct json_object *add_counts(struct json_object *o,
				      const uint64_t *counts,
				      const char *const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		json_object_object_add(o, names[i],
				       json_object_new_int64((int64_t)counts[i]));
	return o;
}

static void sum_json(const struct protect *p, double seconds)
{
	struct json_object *o = json_object_new_object();
	struct json_object *own = json_object_new_object();

	json_object_object_add(o, "seconds", json_object_new_double(seconds));
	json_object_object_add(o, "mode",
			       json_object_new_string(mode_names[p->mode]));
	json_object_object_add(o, "pages",
			       json_object_new_int64((int64_t)p->pages));
	json_object_object_add(o, "attempts",
			       add_counts(json_object_new_object(), p->counts,
					  what_names, WHATS));
	json_object_object_add(o, "not_shown",
			       json_object_new_int64((int64_t)p->hidden));
	add_counts(own, p->own.counts, poke_names, POKE_KINDS);
	add_counts(own, p->gdt_counts, descriptor_names, DESCRIPTOR_KINDS);
	json_object_object_add(o, "let_through", own);
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void add_row(struct libscols_table *table, const char *name,
		    uint64_t count, const char *verdict)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, count);
	scols_line_set_data(line, 0, name);
	scols_line_set_data(line, 1, text);
	scols_line_set_data(line, 2, verdict);
}

static void sum_table(const struct protect *p, double seconds)
{
	struct libscols_table *table = scols_new_table();
	int i;

	scols_table_new_column(table, "STORES", 0, 0);
	scols_table_new_column(table, "COUNT", 0, SCOLS_FL_RIGHT);
	scols_table_new_column(table, "CAME OF IT", 0, 0);
	for (i = 0; i < WHATS; i++)
		add_row(table, what_names[i], p->counts[i], verdicts[p->mode]);
	for (i = 0; i < POKE_KINDS; i++)
		add_row(table, poke_names[i], p->own.counts[i],
			"the kernel's own");
	for (i = 0; i < DESCRIPTOR_KINDS && p->has_gdt; i++)
		add_row(table, descriptor_names[i], p->gdt_counts[i],
			"the kernel's own");
	printf("%zu pages were locked for %.1f s\n", p->pages, seconds);
	scols_print_table(table);
	scols_unref_table(table);
	if (p->hidden)
		printf("%" PRIu64 " were not shown, as they came too often\n",
		       p->hidden);
}

void attempt_sum(const struct protect *p)
{
	double seconds = protect_now() - p->start;

	(p->is_json ? sum_json : sum_table)(p, seconds);
}
