/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel's lists, which change while they are read. */
#ifndef KVMI_LINUX_LIST_H
#define KVMI_LINUX_LIST_H

#include "within.h"

struct nodes {
	uint64_t *list;		/* gva of each, without the head */
	size_t count, room;
	bool is_whole;		/* the last one led back to the head */
};

/*
 * Walks the list of this head. @steps limits the reads and is counted down.
 * nodes_free() also after an error: -EFAULT: the head is not mapped; -ENOMEM;
 * what commands return.
 *
 * A node is believed if it points back to where the walk came from. If not, the
 * walk looks again at the one before, and goes back when that has left the list.
 */
int list_walk(struct linux_guest *guest, uint64_t head, size_t *steps,
	      struct nodes *nodes);
/* Returns 0 or -ENOMEM. */
int nodes_push(struct nodes *nodes, uint64_t at);
void nodes_free(struct nodes *nodes);

#endif
