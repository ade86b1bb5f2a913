// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Read the guest's page tables for the last but one GiB below the top, where
 * its kernel is: a table for each level down to the GiB, one that maps 2 MiB an
 * entry, and those below it that are there.
 */
#include <errno.h>

#include "paging.h"

#define ENTRIES		512
#define ENTRY_LARGE	(1ull << 7)
#define PMD_PAGES	512ul
#define PMD_TO		0x000fffffffe00000ull
#define PUD_TO		0x000fffffc0000000ull

/* Rights of all levels: writable if each says so, no code if one does. */
static uint64_t combine(uint64_t above, uint64_t entry)
{
	return (above & entry & MAPPED_WRITE) | ((above | entry) & MAPPED_NX) |
	       MAPPED_PRESENT;
}

static void map_run(struct paging *p, size_t page, size_t count, uint64_t to,
		    uint64_t rights)
{
	size_t i;

	for (i = 0; i < count; i++)
		p->pages[page + i] = (to + i * IMAGE_PAGE) | rights;
}

static int read_table(const struct paging *p, uint64_t entry, uint64_t *table)
{
	return p->read(p->source, entry & MAPPED_TO, table);
}

static int read_pte_table(struct paging *p, size_t page, uint64_t pmd,
			  uint64_t rights)
{
	uint64_t table[ENTRIES];
	int err = read_table(p, pmd, table);
	size_t i;

	if (err)
		return err == -ENOENT ? 0 : err;
	for (i = 0; i < ENTRIES; i++)
		if (table[i] & MAPPED_PRESENT)
			map_run(p, page + i, 1, table[i] & MAPPED_TO,
				combine(rights, table[i]));
	return 0;
}

static int read_pmd_table(struct paging *p, uint64_t pud, uint64_t rights)
{
	uint64_t table[ENTRIES], right;
	int err = read_table(p, pud, table);
	size_t i;

	for (i = 0; i < ENTRIES && !err; i++) {
		if (!(table[i] & MAPPED_PRESENT))
			continue;
		right = combine(rights, table[i]);
		if (table[i] & ENTRY_LARGE)
			map_run(p, i * PMD_PAGES, PMD_PAGES,
				table[i] & PMD_TO, right);
		else
			err = read_pte_table(p, i * PMD_PAGES, table[i], right);
	}
	return err == -ENOENT ? -EFAULT : err;
}

int paging_read(struct paging *p)
{
	uint64_t table[ENTRIES], rights = MAPPED_WRITE, entry = p->root;
	unsigned int level;
	int err;

	memset(p->pages, 0, WINDOW_PAGES * sizeof(*p->pages));
	/* The window is one entry of the table that maps 1 GiB an entry. */
	for (level = p->levels; level >= 3; level--) {
		err = read_table(p, entry, table);
		if (err)
			return err == -ENOENT ? -EFAULT : err;
		entry = table[KERNEL_WINDOW >> (12 + 9 * (level - 1)) &
			      (ENTRIES - 1)];
		if (!(entry & MAPPED_PRESENT))
			return -EFAULT;
		rights = combine(rights, entry);
	}
	if (!(entry & ENTRY_LARGE))
		return read_pmd_table(p, entry, rights);
	map_run(p, 0, WINDOW_PAGES, entry & PUD_TO, rights);
	return 0;
}

static bool is_canonical(const struct paging *p, uint64_t gva)
{
	unsigned int unused = 64 - (12 + 9 * p->levels);

	return (uint64_t)((int64_t)(gva << unused) >> unused) == gva;
}

int paging_translate(const struct paging *p, uint64_t gva, uint64_t *gpa)
{
	uint64_t table[ENTRIES], entry = p->root, in_page;
	unsigned int level;
	int err;

	if (!is_canonical(p, gva))
		return -EFAULT;
	for (level = p->levels; level; level--) {
		err = read_table(p, entry, table);
		if (err)
			return err == -ENOENT ? -EFAULT : err;
		entry = table[gva >> (12 + 9 * (level - 1)) & (ENTRIES - 1)];
		if (!(entry & MAPPED_PRESENT))
			return -EFAULT;
		if (level == 1 || (level <= 3 && (entry & ENTRY_LARGE)))
			break;
	}
	in_page = (1ull << (12 + 9 * (level - 1))) - 1;
	*gpa = (entry & MAPPED_TO & ~in_page) | (gva & in_page);
	return 0;
}
