/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The symbols that a kernel has in its own tables, found without a name. */
#ifndef KVMI_PROFILE_KALLSYMS_H
#define KVMI_PROFILE_KALLSYMS_H

#include "image.h"

struct symbol {
	uint64_t address;
	const char *name;
	char type;		/* as nm(1) has it */
	bool is_absolute;	/* it does not move with the kernel */
};

struct symbols {
	struct symbol *list;	/* by address */
	size_t count;
	char *text;
};

/* The order of the tables in memory. */
enum kallsyms_order {
	OFFSETS_FIRST,		/* before Linux 6.4 */
	OFFSETS_LAST,
};

/* Where they are. */
struct kallsyms {
	struct image *image;
	uint64_t token_table, token_index, count_at, names, markers, offsets;
	uint16_t index[256];
	uint32_t count;
	uint64_t base;		/* what the offsets are relative to */
	bool has_absolute;	/* an offset of 0 and more is an address */
	bool has_sequence;	/* kallsyms_seqs_of_names, since Linux 6.2 */
	enum kallsyms_order order;
	uint64_t budget;	/* of steps; a guest may want to keep us busy */
};

/* Returns 0, or -ENOENT if there are none. */
int kallsyms_find(struct kallsyms *tables, struct image *image);
/* Returns 0, -EBADMSG for tables that make no sense, or -ENOMEM. */
int kallsyms_read(const struct kallsyms *tables, struct symbols *symbols);
void symbols_free(struct symbols *symbols);
/* The first of that name, global ones before others; NULL. */
const struct symbol *symbols_find(const struct symbols *symbols,
				  const char *name);
/*
 * The nearest at or below an address that is not absolute, of several the first
 * global one, not for 32 bits if there is another; NULL. @next: the address of
 * those behind it, or UINT64_MAX.
 */
const struct symbol *symbols_at(const struct symbols *symbols, uint64_t address,
				uint64_t *next);

#endif
