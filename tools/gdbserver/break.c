// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Breakpoints and watchpoints of gdb. A breakpoint of either kind is an INT3 in
 * guest memory. A watchpoint takes a right from the page that it is in; what
 * the guest does elsewhere in that page happens all the same.
 */
#include <errno.h>
#include <sys/types.h>

#include "gdb.h"

#define PAGE		4096
#define ALL	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W | KVMI_PAGE_ACCESS_X)
/*
 * An event tells where an access begins and not where it ends. gdb looks itself
 * whether a write has changed something; after a read it always stops.
 */
#define WRITE_MAX	64
#define READ_MAX	8

/* Replaces one byte, but only if it is what is expected there. */
static int swap_byte(struct gdb *g, uint64_t gpa, uint8_t from, uint8_t to)
{
	uint8_t byte;
	int err;

	err = kvmi_vm_read_physical(g->vm, gpa, &byte, 1);
	if (err)
		return err;
	if (byte != from)
		return -EBUSY;
	return kvmi_vm_write_physical(g->vm, gpa, &to, 1);
}

int gdb_arm(struct gdb *g, struct gdb_break *b)
{
	int err = swap_byte(g, b->gpa, b->byte, GDB_INT3);

	b->is_armed = !err;
	return err;
}

/* What the guest has put there meanwhile is not ours to change. */
int gdb_disarm(struct gdb *g, struct gdb_break *b)
{
	int err = 0;

	if (b->is_armed)
		err = swap_byte(g, b->gpa, GDB_INT3, b->byte);
	if (err && err != -EBUSY)
		return err;
	b->is_armed = false;
	return 0;
}

struct gdb_break *gdb_find_break(struct gdb *g, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < g->break_count; i++)
		if (g->breaks[i].gpa == gpa && g->breaks[i].is_armed)
			return &g->breaks[i];
	return NULL;
}

static struct gdb_break *find_wished(struct gdb *g, enum gdb_kind kind,
				     uint64_t gva)
{
	size_t i;

	for (i = 0; i < g->break_count; i++)
		if (g->breaks[i].gva == gva && g->breaks[i].kind == kind)
			return &g->breaks[i];
	return NULL;
}

/* One INT3 for all breakpoints of an address. */
static int insert_break(struct gdb *g, enum gdb_kind kind, uint64_t gva)
{
	struct gdb_break b = { .gva = gva, .kind = kind };
	int err;

	if (find_wished(g, kind, gva))
		return 0;
	if (g->break_count == GDB_BREAKS)
		return -ENOSPC;
	err = gdb_translate(g, gva, &b.gpa);
	if (!err && !gdb_find_break(g, b.gpa)) {
		err = kvmi_vm_read_physical(g->vm, b.gpa, &b.byte, 1);
		/* The guest's own; it would be taken for ours. */
		if (!err && b.byte == GDB_INT3)
			err = -EBUSY;
		if (!err)
			err = gdb_arm(g, &b);
	}
	if (!err)
		g->breaks[g->break_count++] = b;
	return err;
}

static int remove_break(struct gdb *g, struct gdb_break *b)
{
	bool was_armed = b->is_armed;
	uint64_t gpa = b->gpa;
	size_t i;
	int err;

	err = gdb_disarm(g, b);
	if (err)
		return err;
	*b = g->breaks[--g->break_count];
	/* Another one of the same place goes on. */
	for (i = 0; i < g->break_count && was_armed; i++) {
		if (g->breaks[i].gpa != gpa)
			continue;
		err = kvmi_vm_read_physical(g->vm, gpa, &g->breaks[i].byte, 1);
		return err ? err : gdb_arm(g, &g->breaks[i]);
	}
	return 0;
}

static bool is_in_page(const struct gdb_watch *w, uint64_t page)
{
	return w->gpa / PAGE == page / PAGE;
}

/* No processor takes the right to read and leaves that to write. */
static int restrict_page(struct gdb *g, uint64_t gpa)
{
	struct kvmi_page_access_entry entry = { .gpa = gpa, .access = ALL };
	size_t i;

	for (i = 0; i < g->watch_count; i++) {
		if (!is_in_page(&g->watches[i], gpa))
			continue;
		entry.access &= (uint8_t)~KVMI_PAGE_ACCESS_W;
		if (g->watches[i].kind != GDB_WRITE)
			entry.access = 0;
	}
	return kvmi_vm_set_page_access(g->vm, &entry, 1);
}

static int remove_watch(struct gdb *g, struct gdb_watch *w)
{
	uint64_t gpa = w->gpa;
	int err, late = 0;

	*w = g->watches[--g->watch_count];
	err = restrict_page(g, gpa);
	if (!g->watch_count)
		late = gdb_control_access(g, false);
	return err ? err : late;
}

static int insert_watch(struct gdb *g, enum gdb_kind kind, uint64_t gva,
			uint64_t size)
{
	struct gdb_watch *w = &g->watches[g->watch_count];
	int err;

	if (!size || gva % PAGE + size > PAGE)
		return -EINVAL;
	if (g->watch_count == GDB_WATCHES)
		return -ENOSPC;
	*w = (struct gdb_watch){ .gva = gva, .size = size, .kind = kind };
	err = gdb_translate(g, gva, &w->gpa);
	if (err)
		return err;
	if (!g->watch_count++)
		err = gdb_control_access(g, true);
	if (!err)
		err = restrict_page(g, w->gpa);
	if (err)
		remove_watch(g, w);
	return err;
}

int gdb_insert(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t size)
{
	if (kind <= GDB_HARDWARE)
		return insert_break(g, kind, gva);
	return insert_watch(g, kind, gva, size);
}

int gdb_remove(struct gdb *g, enum gdb_kind kind, uint64_t gva, uint64_t size)
{
	struct gdb_break *b = find_wished(g, kind, gva);
	size_t i;

	if (kind <= GDB_HARDWARE)
		return b ? remove_break(g, b) : 0;
	for (i = 0; i < g->watch_count; i++)
		if (g->watches[i].gva == gva && g->watches[i].kind == kind &&
		    g->watches[i].size == size)
			return remove_watch(g, &g->watches[i]);
	return 0;
}

int gdb_remove_all(struct gdb *g)
{
	size_t i;
	int err = 0, late;

	for (i = 0; i < g->break_count; i++) {
		late = gdb_disarm(g, &g->breaks[i]);
		if (late && late != -ECONNRESET)
			complain(late, "the INT3 at 0x%llx was not taken back",
				 (unsigned long long)g->breaks[i].gva);
		err = late ? late : err;
	}
	g->break_count = 0;
	while (g->watch_count) {
		late = remove_watch(g, &g->watches[g->watch_count - 1]);
		err = late ? late : err;
	}
	return err;
}

static bool concerns(const struct gdb_watch *w, uint64_t gpa,
		     unsigned int access)
{
	bool is_write = access == KVMI_PAGE_ACCESS_W;
	uint64_t reach = is_write ? WRITE_MAX : READ_MAX;

	if (access == KVMI_PAGE_ACCESS_X ||
	    w->kind == (is_write ? GDB_READ : GDB_WRITE))
		return false;
	return gpa < w->gpa + w->size && gpa + reach > w->gpa;
}

const struct gdb_watch *gdb_find_watch(const struct gdb *g, uint64_t gpa,
				       unsigned int access)
{
	size_t i;

	for (i = 0; i < g->watch_count; i++)
		if (concerns(&g->watches[i], gpa, access))
			return &g->watches[i];
	return NULL;
}
