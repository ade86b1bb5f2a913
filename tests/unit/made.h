/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the tables of kallsyms as the build of a kernel does, in any order. */
#ifndef UNIT_MADE_H
#define UNIT_MADE_H

#include "../../lib/profile/kallsyms.h"

#define MADE_BASE	(KERNEL_WINDOW + (16ull << 20))
#define MADE_COUNT	700

struct made {
	enum kallsyms_order order;
	bool has_sequence;
	bool has_absolute;	/* the first ten are addresses of their own */
	uint32_t count;		/* 0: MADE_COUNT */

	/* Where they came to lie. */
	uint64_t count_at, names, markers, token_table, token_index, offsets;
	uint64_t base, end;
};

/* What symbol @i is called, its type in front; the 13th has 300 letters. */
void made_name(uint32_t i, char *name);
uint64_t made_address(const struct made *made, uint32_t i);
/* The tables, from 4 KiB behind the beginning of an image of 1 MiB on. */
void make_tables(struct made *made, struct image *image);

#endif
