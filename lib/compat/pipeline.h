/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pipeline: commands that are sent together, and then get their answers. */
#ifndef KVMI_COMPAT_PIPELINE_H
#define KVMI_COMPAT_PIPELINE_H

#include "domain.h"

/* All zeros is the beginning. */
struct pipeline {
	struct call *calls;
	size_t count;
	size_t started;		/* of them, sent */
};

/* Keeps a command; @head and @tail are copied. */
int pipeline_add(struct pipeline *p, unsigned int id, struct iovec head,
		 struct iovec tail);
/* Adds what kvmi_set_page_access() takes. */
int pipeline_add_access(struct pipeline *p, const struct domain *dom,
			const unsigned long long *gpa,
			const unsigned char *access, size_t count,
			unsigned int view);
int pipeline_add_pause(struct pipeline *p, unsigned int vcpu);

/* Sends all up to the command with this index. */
int pipeline_start(struct pipeline *p, struct kvmi_vm *vm, size_t until);
/* Waits for what was sent; returns the first error. */
int pipeline_finish(struct pipeline *p, struct kvmi_vm *vm);
/* Both, for all. */
int pipeline_run(struct pipeline *p, struct kvmi_vm *vm);
/* Nothing may be under way. */
void pipeline_empty(struct pipeline *p);

#endif
