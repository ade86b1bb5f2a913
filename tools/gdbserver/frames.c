// SPDX-License-Identifier: GPL-2.0-or-later
/* The ORC tables of the guest's kernel. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <profile.h>

#include "gdb.h"
#include "orc.h"

/* Debian's have about a million rows. */
#define ROWS_MAX	(16 << 20)

struct tables {
	uint64_t ips, ips_end, entries, entries_end;
	uint64_t text, text_gpa;	/* a place, to find the others */
};

static bool find(const struct profile *profile, uint64_t kaslr,
		 struct tables *t)
{
	if (profile_symbol(profile, "__start_orc_unwind_ip", &t->ips) ||
	    profile_symbol(profile, "__stop_orc_unwind_ip", &t->ips_end) ||
	    profile_symbol(profile, "__start_orc_unwind", &t->entries) ||
	    profile_symbol(profile, "__stop_orc_unwind", &t->entries_end) ||
	    profile_symbol(profile, "_text", &t->text))
		return false;
	t->ips += kaslr;
	t->text += kaslr;
	t->entries += kaslr;
	return true;
}

/* The meaning of a row has changed with 6.4. */
static bool is_known(const struct profile *profile)
{
	unsigned int major, minor;
	struct profile_info info;

	profile_get_info(profile, &info);
	return sscanf(info.banner, "Linux version %u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 4));
}

/* The kernel's image is in one piece of memory. */
static int read_image(struct gdb *g, const struct tables *t, uint64_t gva,
		      void *to, size_t size)
{
	return kvmi_vm_read_physical(g->vm, t->text_gpa + (gva - t->text), to,
				     size);
}

static void convert(struct gdb *g, const struct tables *t, size_t count,
		    struct orc_frames *frames)
{
	struct orc_entry *entries = calloc(count, sizeof(*entries));
	int32_t *relative = calloc(count, sizeof(*relative));
	uint64_t *ips = calloc(count, sizeof(*ips));
	size_t i;

	if (entries && relative && ips &&
	    !read_image(g, t, t->ips, relative, count * sizeof(*relative)) &&
	    !read_image(g, t, t->entries, entries, count * sizeof(*entries))) {
		for (i = 0; i < count; i++)
			ips[i] = t->ips + i * sizeof(*relative) +
				 (uint64_t)(int64_t)relative[i];
		orc_convert(ips, entries, count, frames);
	}
	free(entries);
	free(relative);
	free(ips);
}

void orc_read(struct gdb *g, uint64_t kaslr, struct orc_frames *frames)
{
	struct tables t = { 0 };
	size_t count;

	if (!is_known(g->profile) || !find(g->profile, kaslr, &t) ||
	    gdb_translate(g, t.text, &t.text_gpa))
		return;
	count = (t.ips_end + kaslr - t.ips) / sizeof(int32_t);
	if (count > 1 && count < ROWS_MAX &&
	    (t.entries_end + kaslr - t.entries) / sizeof(struct orc_entry) == count)
		convert(g, &t, count, frames);
}
