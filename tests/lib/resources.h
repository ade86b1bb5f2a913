/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel and a process hold at a moment, to find what leaks.
 */
#ifndef TESTS_LIB_RESOURCES_H
#define TESTS_LIB_RESOURCES_H

#include <stdbool.h>

enum resource {
	RESOURCE_KVMI_VM,	/* objects of our slab caches */
	RESOURCE_KVMI_SESSION,
	RESOURCE_KVMI_VCPU,
	RESOURCE_KVMI_MSG,
	RESOURCE_THREADS,	/* kernel threads named kvmi-recv... */
	RESOURCE_KVM_USERS,	/* references to the modules */
	RESOURCE_VENDOR_USERS,
	RESOURCE_FILES,		/* open in the process */
	RESOURCE_SLAB,		/* kB of the whole machine */
	RESOURCE_VMALLOC,
	RESOURCE_COUNT
};

struct resources {
	long value[RESOURCE_COUNT];	/* -1: cannot be told here */
};

/* Of the machine, and of the process pid (0: this one). */
void resources_take(struct resources *resources, int pid);
/* How many grew by more than their bound; names them on stderr. */
int resources_compare(const struct resources *before,
		      const struct resources *after);
/* Takes again until nothing has grown or the deadline is over; as above. */
int resources_settle(const struct resources *before, int pid);

#endif /* TESTS_LIB_RESOURCES_H */
