/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page by which a test asks the guest's module for a store, and learns what
 * the guest made of it. The test reads and writes it as physical memory; where
 * it lies the module tells on the console.
 */
#ifndef LAB_L2_STORE_BOX_H
#define LAB_L2_STORE_BOX_H

#include <linux/types.h>

#define STORE_CPUS	2
#define STORE_BYTES	1024	/* no store is longer */
#define STORE_FRAME	48	/* of an exception with an error code */

/* The kinds of stores. */
enum {
	STORE_MOV,
	STORE_MOVS,		/* four times eight bytes */
	STORE_PUSH,
	STORE_ADD,
	STORE_FSTP,
	STORE_XSAVE,
	STORE_CMPXCHG16B,
	STORE_AVX,		/* 32 bytes, across the end of a page */
	STORE_TRAP,		/* the processor's own, of an exception's frame */

	STORE_KINDS
};

/* What they go to. */
enum {
	STORE_TEXT,		/* of the kernel, behind code that runs */
	STORE_DATA,
	STORE_STACK,		/* of the thread that stores, its unused end */
	STORE_IDT,
	STORE_GDT,
	STORE_TSS,
	STORE_TABLE,		/* page table, in use, entries that are not */

	STORE_TARGETS
};

/* In flags of a request. */
#define STORE_QUIET	1	/* no interrupt, sleep or message from now on */

/* A page and its neighbours in an alias of the module's own. */
struct store_target {
	__u64 gva;		/* of the page */
	__u64 front;		/* gpa of the page before it */
	__u64 gpa;		/* of the page */
	__u64 behind;		/* gpa of the next one */
	__u32 offset;		/* in the page: where stores go */
	__u32 beside;		/* where those of the other vCPU go */
	__s64 edge;		/* where one goes that is to cross */
};

/* Written by the test, the turn last. */
struct store_request {
	__u32 turn;
	__u32 cpu;
	__u32 kind;		/* STORE_KINDS: none, only the flags */
	__u32 target;
	__u64 value;		/* what the store brings, or is made of */
	__u32 flags;
	__u32 padding;
};

/* Of one vCPU: its instruction begins and ends there. */
struct store_insn {
	__u64 begin;
	__u64 end;
};

/* Written by the guest; the turn last, when all is over. */
struct store_reply {
	__u32 turn;
	__u32 size;		/* bytes of before and after */
	__u64 gva;		/* of the store, known before it is tried */
	struct store_insn insn;
	struct store_insn other;
	__u64 others;		/* stores of the other vCPU, values from 1 */
	__u64 rsp;		/* the loss of PUSH, bytes */
	__u8 before[STORE_BYTES];
	__u8 after[STORE_BYTES];
};

struct store_box {
	__u32 ready[STORE_CPUS]; /* it has found its targets */
	__u32 missing;		/* a bit for each kind the processor lacks */
	__u32 padding;
	struct store_target targets[STORE_CPUS][STORE_TARGETS];
	struct store_request request;
	struct store_reply reply;
};

/* Where in the page a store begins; below an exception's frame works a handler. */
static inline __s64 store_begin(const struct store_target *target, __u32 kind)
{
	if (kind == STORE_TRAP)
		return 4096 - STORE_FRAME;
	return kind == STORE_AVX ? target->edge : target->offset;
}

/* And those of the other vCPU. */
static inline __s64 store_beside_at(const struct store_target *target,
				    __u32 kind)
{
	return kind == STORE_TRAP ? 64 : target->beside;
}

#endif /* LAB_L2_STORE_BOX_H */
