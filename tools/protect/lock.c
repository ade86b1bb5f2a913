// SPDX-License-Identifier: GPL-2.0-or-later
/* The pages that kvmi protect locks: the kernel's text, constants, IDT and GDTs. */
#include <errno.h>
#include <inttypes.h>

#include "protect.h"

#define LOCKED	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X)
#define OPEN	(LOCKED | KVMI_PAGE_ACCESS_W)

static const struct {
	enum what what;
	const char *start, *end;	/* no end: one page */
} parts[] = {
	{ TEXT, "_text", "_etext" },
	{ RODATA, "__start_rodata", "__end_rodata" },
	{ IDT, "idt_table", NULL },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

/* The image lies in one piece in physical memory. */
static int find_area(struct protect *p, size_t i)
{
	struct area *area = &p->areas[p->area_count];
	uint64_t end, last = 0;
	int err;

	area->what = parts[i].what;
	err = linux_symbol(p->guest, parts[i].start, &area->gva);
	end = area->gva + PAGE_SIZE;
	if (!err && parts[i].end)
		err = linux_symbol(p->guest, parts[i].end, &end);
	area->gva &= ~(PAGE_SIZE - 1);
	end = (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	area->size = end - area->gva;
	if (!err)
		err = linux_translate(p->guest, area->gva, &area->gpa);
	if (!err)
		err = linux_translate(p->guest, end - PAGE_SIZE, &last);
	if (!err && last + PAGE_SIZE - area->gpa != area->size)
		err = -EBADMSG;
	if (err) {
		complain(err, "cannot find %s of the guest's kernel",
			 parts[i].start);
		return err;
	}
	p->area_count++;
	p->pages += area->size / PAGE_SIZE;
	return 0;
}

int lock_find(struct protect *p)
{
	uint64_t offset;
	int err = 0;
	size_t i;

	for (i = 0; i < PARTS && !err; i++)
		err = find_area(p, i);
	if (!err && !linux_symbol(p->guest, "sys_call_table", &p->table.start) &&
	    !linux_symbol_at(p->guest, p->table.start, &offset, &p->table.end))
		p->table.end = p->table.start;
	return err;
}

static int set_area(struct protect *p, const struct area *area,
		    uint8_t access)
{
	struct kvmi_page_access_entry entries[KVMI_PAGES_MAX];
	size_t n = 0;
	uint64_t at;
	int err = 0;

	memset(entries, 0, sizeof(entries));
	for (at = 0; at < area->size && !err; at += PAGE_SIZE) {
		entries[n].gpa = area->gpa + at;
		entries[n++].access = access;
		if (n < KVMI_PAGES_MAX && at + PAGE_SIZE < area->size)
			continue;
		err = kvmi_vm_set_page_access(p->vm, entries, n);
		n = 0;
	}
	return err;
}

int lock_set(struct protect *p)
{
	int err = 0;
	size_t i;

	for (i = 0; i < p->area_count && !err; i++)
		err = set_area(p, &p->areas[i], LOCKED);
	if (err)
		complain(err, "cannot lock the kernel's pages");
	return err;
}

int lock_area(struct protect *p, const struct area *area)
{
	return set_area(p, area, LOCKED);
}

int lock_clear(struct protect *p)
{
	int err = 0, late;
	size_t i;

	for (i = 0; i < p->area_count; i++) {
		late = set_area(p, &p->areas[i], OPEN);
		err = late ? late : err;
	}
	for (i = 0; i < p->vcpus; i++) {
		late = set_area(p, &p->gdts[i], OPEN);
		err = late ? late : err;
	}
	return err;
}

static const struct area *find(const struct area *areas, size_t count,
			       uint64_t gpa)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (gpa >= areas[i].gpa && gpa - areas[i].gpa < areas[i].size)
			return &areas[i];
	return NULL;
}

const struct area *lock_at(const struct protect *p, uint64_t gpa)
{
	const struct area *area = find(p->areas, p->area_count, gpa);

	return area ? area : find(p->gdts, p->vcpus, gpa);
}
