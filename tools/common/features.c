// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says that this host has, and what that means for a tool. */
#include <errno.h>
#include <string.h>

#include <kvmi/features.h>
#include <libsmartcols.h>

#include "kvmi.h"

#define FEATURES_FILE	"/sys/module/kvm/parameters/introspection_features"

static const struct feature {
	const char *name;
	const char *meaning;
	const char *without;
} list[] = {
#define FEATURE(name, meaning, amd, intel, without) \
	{ #name, meaning, without },
	KVMI_FEATURES(FEATURE)
};

#define COUNT	(sizeof(list) / sizeof(list[0]))

_Static_assert(COUNT <= 8 * sizeof(((struct features *)0)->set),
	       "no bit is left for a feature");

/* One that this command does not know is of a later kernel. */
static void add(struct features *features, const char *name)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		if (!strcmp(name, list[i].name))
			features->set |= 1u << i;
}

int features_read(struct features *features)
{
	FILE *file = fopen(FEATURES_FILE, "re");
	char line[64];

	features->set = 0;
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		add(features, line);
	}
	fclose(file);
	return 0;
}

bool features_have(const struct features *features, const char *name)
{
	struct features one = { 0 };

	add(&one, name);
	return features->set & one.set;
}

unsigned int features_count(const struct features *features)
{
	return (unsigned int)__builtin_popcount(features->set);
}

void features_show(const struct features *features)
{
	struct libscols_table *table = scols_new_table();
	struct libscols_line *line;
	bool has;
	size_t i;

	scols_table_new_column(table, "FEATURE", 0, 0);
	scols_table_new_column(table, "HERE", 0, 0);
	scols_table_new_column(table, "SO", 0, SCOLS_FL_WRAP);
	for (i = 0; i < COUNT; i++) {
		has = features->set & 1u << i;
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, list[i].name);
		scols_line_set_data(line, 1, has ? "yes" : "no");
		scols_line_set_data(line, 2, has ? list[i].meaning
						 : list[i].without);
	}
	putchar('\n');
	scols_print_table(table);
	scols_unref_table(table);
}

struct json_object *features_json(const struct features *features)
{
	struct json_object *object = json_object_new_object();
	size_t i;

	for (i = 0; i < COUNT; i++)
		json_object_object_add(object, list[i].name,
				       json_object_new_boolean(!!(features->set & 1u << i)));
	return object;
}
