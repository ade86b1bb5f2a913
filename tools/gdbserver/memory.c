// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory for gdb, by the page tables of the vCPU that it looks at. Where
 * there is an INT3 of ours it reads and writes the byte below.
 */
#include <errno.h>
#include <sys/types.h>

#include "gdb.h"

#define PAGE		4096
#define KERNEL_HALF	(1ull << 63)

static int translate(struct gdb *g, unsigned int vcpu, uint64_t gva,
		     uint64_t *gpa)
{
	int err = kvmi_vcpu_translate_gva(g->vm, vcpu, gva, gpa);

	return !err && *gpa == UINT64_MAX ? -EFAULT : err;
}

/* One in user mode may not have the kernel mapped, another has. */
int gdb_translate(struct gdb *g, uint64_t gva, uint64_t *gpa)
{
	int err = translate(g, g->current, gva, gpa);
	unsigned int i;

	if (gva < KERNEL_HALF)
		return err;
	for (i = 0; i < g->count && (err == -EFAULT || err == -EAGAIN); i++)
		if (i != g->current && g->vcpus[i].is_ready)
			err = translate(g, i, gva, gpa);
	return err;
}

static size_t in_page(uint64_t gva, size_t size)
{
	size_t rest = PAGE - gva % PAGE;

	return size < rest ? size : rest;
}

static void hide_breaks(const struct gdb *g, uint64_t gpa, uint8_t *bytes,
			size_t size)
{
	size_t i;

	for (i = 0; i < g->break_count; i++)
		if (g->breaks[i].is_armed && g->breaks[i].gpa - gpa < size)
			bytes[g->breaks[i].gpa - gpa] = g->breaks[i].byte;
}

ssize_t gdb_read_memory(struct gdb *g, uint64_t gva, uint8_t *to, size_t size)
{
	size_t done = 0, n;
	uint64_t gpa;
	int err = 0;

	while (done < size) {
		n = in_page(gva + done, size - done);
		err = gdb_translate(g, gva + done, &gpa);
		if (!err)
			err = kvmi_vm_read_physical(g->vm, gpa, to + done, n);
		if (err)
			break;
		hide_breaks(g, gpa, to + done, n);
		done += n;
	}
	return done || !err ? (ssize_t)done : err;
}

/* The INT3 stays; what it hides is what gdb writes. */
static int write_part(struct gdb *g, uint64_t gpa, const uint8_t *from,
		      size_t size)
{
	uint8_t bytes[PAGE];
	struct gdb_break *b;
	size_t i;
	int err;

	memcpy(bytes, from, size);
	for (i = 0; i < g->break_count; i++) {
		b = &g->breaks[i];
		if (b->is_armed && b->gpa - gpa < size)
			bytes[b->gpa - gpa] = GDB_INT3;
	}
	err = kvmi_vm_write_physical(g->vm, gpa, bytes, size);
	for (i = 0; i < g->break_count && !err; i++) {
		b = &g->breaks[i];
		if (b->is_armed && b->gpa - gpa < size)
			b->byte = from[b->gpa - gpa];
	}
	return err;
}

int gdb_write_memory(struct gdb *g, uint64_t gva, const uint8_t *from,
		     size_t size)
{
	size_t done, n;
	uint64_t gpa;
	int err = 0;

	for (done = 0; done < size && !err; done += n) {
		n = in_page(gva + done, size - done);
		err = gdb_translate(g, gva + done, &gpa);
		if (!err)
			err = write_part(g, gpa, from + done, n);
	}
	return err;
}
