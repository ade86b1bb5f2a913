/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one of the kernel's lists lacks in one look. The guest goes on, so only
 * what is missing in each of several looks counts as hidden.
 */
#ifndef KVMI_LINUX_SUSPECT_H
#define KVMI_LINUX_SUSPECT_H

#include <stddef.h>
#include <stdint.h>

/* Looks that must agree, and the time for the guest in between. */
#define LOOKS		3
#define LOOK_PAUSE_NS	20000000

struct suspect {
	uint64_t gva;
	uint64_t id;		/* what is not the same in another one there */
	unsigned int missing;	/* lists */
};

struct suspects {
	struct suspect *list;
	size_t count, room;
};

/* Returns 0 or -ENOMEM. */
int suspects_add(struct suspects *suspects, struct suspect suspect);
/* Keeps in @suspects what is in @others, too, and of its lists those of both. */
void suspects_meet(struct suspects *suspects, struct suspects *others);
/* The lists that it is missing in, 0 if it is not among them. */
unsigned int suspects_find(const struct suspects *suspects, uint64_t gva,
			   uint64_t id);
void suspects_free(struct suspects *suspects);
/* Gives the guest time to end what it is at. */
void suspects_wait(void);

#endif
