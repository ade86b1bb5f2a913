/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory by virtual addresses, and what a person calls them. */
#ifndef KVMI_TOOL_VIEW_H
#define KVMI_TOOL_VIEW_H

#include <kvmi/kvmi.h>
#include <linux-guest.h>

/* By the tables of the kernel, of a process, or of what a vCPU had loaded. */
struct view {
	struct kvmi_vm *vm;
	struct linux_guest *guest;	/* NULL: no Linux, so no symbols */
	bool has_root;
	uint64_t root;			/* of the tables that are not the kernel's */
	unsigned int vcpu;		/* whose tables are used without a guest */
};

/*
 * The kernel's addresses, or those of process @pid if it is not negative.
 * Complains. Errors: those of linux_open(); -ESRCH: no such process, or it has no
 * memory of its own.
 */
int view_open(struct view *view, struct kvmi_vm *vm, int pid);
/* The same, but a guest without Linux is fine: vCPU @vcpu's tables then. */
int view_open_any(struct view *view, struct kvmi_vm *vm, unsigned int vcpu);
void view_close(struct view *view);

/* Reads "0x1000", "schedule" or "schedule+0x10". Complains. */
int view_parse(struct view *view, const char *text, uint64_t *gva);
/* Errors: -EFAULT: not mapped; those of commands. */
int view_translate(struct view *view, uint64_t gva, uint64_t *gpa);
/* The same errors, and @size bytes or none. */
int view_read(struct view *view, uint64_t gva, void *data, size_t size);
int view_write(struct view *view, uint64_t gva, const void *data, size_t size);
/* "schedule+0x12", or the number. */
const char *view_format(struct view *view, uint64_t gva, char *text,
			size_t room);

/* The number in --pid N; exits if it is none. */
struct verb;
int pid_option(const struct verb *verb, const char *text);

#endif
