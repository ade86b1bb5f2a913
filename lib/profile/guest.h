/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernel of a running guest. */
#ifndef KVMI_PROFILE_GUEST_H
#define KVMI_PROFILE_GUEST_H

#include <kvmi/kvmi.h>

#include "kallsyms.h"

struct guest {
	struct kvmi_vm *vm;
	uint64_t *pages;	/* what the kernel's page tables map */
	unsigned int levels;
	uint64_t root;		/* of the page tables in which it was found */
	unsigned int vcpu;	/* that is looked at */
};

/*
 * Finds the kernel by the page tables of the vCPUs, one after the other, and
 * its symbols in it. Both stay usable until guest_exit(), as long as the
 * session. Returns 0; -ENOENT: no vCPU has a Linux kernel mapped, or it has no
 * symbols; -ENOMEM; what commands return.
 */
int guest_find(struct guest *guest, struct kvmi_vm *vm, struct image *image,
	       struct kallsyms *tables);
void guest_exit(struct guest *guest, struct image *image);

#endif
