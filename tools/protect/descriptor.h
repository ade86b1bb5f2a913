/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Linux stores into a GDT of its own while it runs: the entries of the
 * process that it switches to, and little else.
 */
#ifndef KVMI_TOOL_DESCRIPTOR_H
#define KVMI_TOOL_DESCRIPTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESCRIPTOR_SIZE	8
#define DESCRIPTORS	16	/* that a GDT of Linux has */

enum descriptor_kind {
	DESCRIPTOR_TLS,		/* a user's data segment, or none */
	DESCRIPTOR_LDT,		/* where the LDT of a process is */
	DESCRIPTOR_TASK,	/* whether the task state segment is in use */
	DESCRIPTOR_SAME,	/* what was there already */
	DESCRIPTOR_KINDS
};

extern const char *const descriptor_names[DESCRIPTOR_KINDS];

/*
 * Whether an entry is one that this kind of store alone decides, so that what
 * was there need not be known.
 */
bool descriptor_judge_new(unsigned int index, uint64_t value,
			  enum descriptor_kind *kind);
/* The others: by what they change. */
bool descriptor_judge_change(unsigned int index, uint64_t old, uint64_t value,
			     enum descriptor_kind *kind);

/* Whether a gate or the like is where Linux has none. */
bool descriptor_is_odd(unsigned int index, uint64_t value);

/* Whether this is LTR, which sets the busy bit of a free TSS, and no more. */
bool descriptor_is_ltr(const uint8_t *code, size_t size);

#endif
