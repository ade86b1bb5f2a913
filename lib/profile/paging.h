/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's page tables: all of where its kernel is, or one address. */
#ifndef KVMI_PROFILE_PAGING_H
#define KVMI_PROFILE_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"

#define WINDOW_PAGES (KERNEL_WINDOW_SIZE / IMAGE_PAGE)

/* What page tables map at a page; 0: nothing. */
#define MAPPED_TO	0x000ffffffffff000ull
#define MAPPED_PRESENT	(1ull << 0)
#define MAPPED_WRITE	(1ull << 1)
#define MAPPED_NX	(1ull << 63)

struct paging {
	/* Reads a page of the guest's physical memory: 0 or -errno. */
	int (*read)(void *source, uint64_t gpa, uint64_t *page);
	void *source;
	unsigned int levels;	/* 4 or 5 */
	uint64_t root;		/* gpa of the table of the highest level */
	uint64_t *pages;	/* WINDOW_PAGES of them */
};

/*
 * Fills @pages with what is mapped in the kernel's window. Returns 0, -EFAULT
 * if nothing is, or what @read returned, but for -ENOENT: an entry that leads
 * to no memory maps nothing.
 */
int paging_read(struct paging *paging);

/*
 * Where one address is, of any part of the tables; @pages is not used. Returns
 * 0, -EFAULT: it is not mapped, or by tables in no memory, or what @read
 * returned.
 */
int paging_translate(const struct paging *paging, uint64_t gva, uint64_t *gpa);

#endif
