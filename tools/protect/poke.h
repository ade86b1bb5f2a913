/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How Linux patches its own text while it runs, and what such a patch can be.
 *
 * An instruction is replaced in three steps: an INT3 over its first byte, the
 * bytes behind it, the first byte. Only one place of one kind may be changed
 * so, and only to what its kind allows.
 */
#ifndef KVMI_TOOL_POKE_H
#define KVMI_TOOL_POKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum poke_kind {
	POKE_KEY,		/* a branch of a static key */
	POKE_CALL,		/* a static call, or its trampoline */
	POKE_TRACE,		/* the beginning of a function, for ftrace */
	POKE_PROBE,		/* anywhere: a kprobe */
	POKE_LOCK,		/* a LOCK prefix that one processor did not need */
	POKE_KINDS
};

extern const char *const poke_names[POKE_KINDS];

/* Bytes of the longest instruction that is patched in: Jcc. */
#define POKE_SIZE	6

/* A place that the kernel's tables name. */
struct poke_site {
	uint64_t address;
	uint64_t target;	/* of a static key's jump */
	enum poke_kind kind;
};

struct pokes {
	struct poke_site *sites;	/* by address; free() by the owner */
	size_t site_count;
	uint64_t text, text_end;	/* what may be patched, and jumped to */
	uint64_t other, other_end;	/* modules and generated code: jumped to */
	/* Reads text: 0 or -errno. */
	int (*read)(void *source, uint64_t address, void *to, size_t size);
	/* Whether a function begins at this address, for ftrace or a trampoline. */
	bool (*is_entry)(void *source, uint64_t address, enum poke_kind *kind);
	void *source;
	void *touched;			/* of tsearch(3) */
	size_t touched_count;
};

/* Puts the sites in order. */
void poke_sort(struct pokes *pokes);

/*
 * Judges a store to text of the kernel's own function for that.
 * @address:	in the kernel's text
 * @bytes:	what is stored, @size of them
 * @kind:	receives what it is for, also if it is refused
 * Returns 0; -EPERM: it is no such patch; -ENOMEM; what read() returns.
 */
int poke_judge(struct pokes *pokes, uint64_t address, const uint8_t *bytes,
	       size_t size, enum poke_kind *kind);

/* Forgets what was touched. */
void poke_exit(struct pokes *pokes);

#endif
