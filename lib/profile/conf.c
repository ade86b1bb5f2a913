// SPDX-License-Identifier: LGPL-2.1-or-later
/* Write a stanza of libvmi.conf. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "inside.h"

static const struct {
	const char *key, *structure, *field;
} offsets[] = {
	{ "linux_tasks", "task_struct", "tasks" },
	{ "linux_mm", "task_struct", "mm" },
	{ "linux_pid", "task_struct", "pid" },
	{ "linux_name", "task_struct", "comm" },
	{ "linux_pgd", "mm_struct", "pgd" },
};

#define OFFSETS (sizeof(offsets) / sizeof(offsets[0]))

/* Its texts have no way to write a quote, its names only these letters. */
static bool is_name(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

static bool is_path(const char *path)
{
	for (; *path; path++)
		if (iscntrl((unsigned char)*path) || strchr("\"\\", *path))
			return false;
	return true;
}

int profile_write_conf(const struct profile *p, FILE *to, const char *name,
		       const char *map, bool is_isf)
{
	uint64_t values[OFFSETS];
	size_t i;

	if (!is_name(name) || !is_path(map))
		return -EINVAL;
	for (i = 0; i < OFFSETS; i++)
		if (profile_offset(p, offsets[i].structure, offsets[i].field,
				   &values[i]))
			return -ENODATA;
	fprintf(to, "# %s\n%s {\n\tostype = \"Linux\";\n\t%s = \"%s\";\n",
		p->first_line, name, is_isf ? "volatility_ist" : "sysmap", map);
	for (i = 0; i < OFFSETS; i++)
		fprintf(to, "\t%s = 0x%" PRIx64 ";\n", offsets[i].key,
			values[i]);
	fprintf(to, "}\n");
	return stream_error(to);
}
