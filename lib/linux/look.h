/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tasks that were found in one look, and on which lists. */
#ifndef KVMI_LINUX_LOOK_H
#define KVMI_LINUX_LOOK_H

#include "suspect.h"
#include "task.h"

struct look {
	struct linux_guest *guest;
	struct task_fields fields;
	struct found *list;
	size_t count, room;
	uint32_t *index;	/* by hash: 0, or one more than where it is */
	size_t index_size;
	size_t steps;
	uint64_t idle;		/* init_task */
	uint64_t thread_head;	/* in struct signal_struct */
	bool is_whole;
};

/* Of one that has but its guest: finds what all looks need. */
int look_prepare(struct look *look);
/*
 * Forgets the last look and takes one, of which each list has an end. Tasks that
 * are known are taken up wherever they are.
 */
int look_take(struct look *look, const struct suspects *known);
/* The one at this address, or NULL; only until the next look. */
struct found *look_find(const struct look *look, uint64_t gva);
void look_end(struct look *look);

#endif
