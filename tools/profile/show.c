// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmi profile tells of a profile. */
#include <inttypes.h>

#include "facts.h"
#include "wish.h"

/* What most programs ask for, as libvmi. */
static const struct {
	const char *structure, *field;
} offsets[] = {
	{ "task_struct", "tasks" }, { "task_struct", "mm" },
	{ "task_struct", "pid" }, { "task_struct", "comm" },
	{ "mm_struct", "pgd" },
};

#define OFFSETS (sizeof(offsets) / sizeof(offsets[0]))
#define NAME	64	/* of one, with the structure's */

static int offset_of(const struct profile *profile, size_t i, char name[NAME],
		     uint64_t *offset)
{
	snprintf(name, NAME, "%s.%s", offsets[i].structure, offsets[i].field);
	return profile_offset(profile, offsets[i].structure, offsets[i].field,
			      offset);
}

void profile_show(const struct profile *profile, FILE *to)
{
	struct libscols_table *facts = facts_new();
	struct profile_info info;
	char name[NAME];
	uint64_t offset;
	size_t i;

	profile_get_info(profile, &info);
	facts_add(facts, "Kernel:", "%s", info.banner);
	facts_add(facts, "Symbols:", "%zu", info.symbols);
	facts_add(facts, "Types:", "%zu", info.types);
	facts_add(facts, "Text:", "linked to 0x%" PRIx64, info.text);
	if (info.is_running) {
		facts_add(facts, "KASLR:", "0x%" PRIx64 "%s", info.kaslr,
			  info.is_kaslr_guessed ? " (a guess)" : "");
		facts_add(facts, "Page tables:", "%u levels at 0x%" PRIx64,
			  info.levels, info.page_tables);
	}
	for (i = 0; i < OFFSETS; i++)
		if (!offset_of(profile, i, name, &offset))
			facts_add(facts, name, "at 0x%" PRIx64, offset);
	facts_print(facts, to);
}

static struct json_object *json_offsets(const struct profile *profile)
{
	struct json_object *o = json_object_new_object();
	uint64_t offset;
	char name[NAME];
	size_t i;

	for (i = 0; i < OFFSETS; i++)
		if (!offset_of(profile, i, name, &offset))
			json_object_object_add(o, name, json_gpa(offset));
	return o;
}

void profile_show_json(const struct profile *profile, FILE *to)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *o = json_object_new_object();
	struct profile_info info;

	profile_get_info(profile, &info);
	json_object_object_add(o, "banner", json_object_new_string(info.banner));
	json_object_object_add(o, "symbols",
			       json_object_new_int64((int64_t)info.symbols));
	json_object_object_add(o, "types",
			       json_object_new_int64((int64_t)info.types));
	json_object_object_add(o, "text", json_gpa(info.text));
	json_object_object_add(o, "offsets", json_offsets(profile));
	if (info.is_running) {
		json_object_object_add(o, "kaslr", json_gpa(info.kaslr));
		json_object_object_add(o, "kaslr_guessed",
				       json_object_new_boolean(info.is_kaslr_guessed));
		json_object_object_add(o, "levels",
				       json_object_new_int((int)info.levels));
		json_object_object_add(o, "page_tables",
				       json_gpa(info.page_tables));
	}
	fprintf(to, "%s\n", json_object_to_json_string_ext(o, flags));
	json_object_put(o);
}
