/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process of a Linux guest an event is about. */
#ifndef KVMI_TOOL_PROCESS_H
#define KVMI_TOOL_PROCESS_H

#include <linux-guest.h>

struct process {
	bool is_known;
	int pid, tid;
	char comm[LINUX_COMM];	/* without control characters */
};

/* What shall be shown. */
struct filter {
	int vcpu, pid;		/* -1: all */
	const char *comm;	/* NULL: all */
};

/* The one that the vCPU of an event runs; not known without a guest. */
void process_here(struct linux_guest *guest,
		  const struct kvmi_vcpu_event *state, struct process *process);
/* The one that has the page tables that a CR3 names. */
void process_of_tables(struct linux_guest *guest, uint64_t cr3,
		       struct process *process);
bool filter_needs_process(const struct filter *filter);
bool filter_takes(const struct filter *filter, const struct process *process);
/* "cat[12]", or "-". Returns @text. */
const char *process_format(const struct process *process, char *text,
			   size_t room);

#endif
