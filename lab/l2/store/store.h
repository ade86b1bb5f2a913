/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LAB_L2_STORE_STORE_H
#define LAB_L2_STORE_STORE_H

#include <asm/ibt.h>

#include "box.h"

/*
 * Finds the targets of this vCPU, in whose thread it runs.
 * @text, @etext:	bounds of the kernel's text
 */
int store_find_targets(struct store_target *targets, unsigned long text,
		       unsigned long etext);

/* Bytes that a kind writes, with gaps. */
__noendbr u32 store_size(u32 kind);
/* Whether the processor has it. */
bool store_possible(u32 kind);
/*
 * Carries out one store, with interrupts off. Tells in @reply where the
 * instruction lies before, and what PUSH did to its pointer after.
 */
__noendbr void store_do(u32 kind, void *at, u64 value, struct store_reply *reply);
/* Eight bytes by the other vCPU. */
__noendbr void store_beside(void *at, u64 value, struct store_insn *insn);

#endif /* LAB_L2_STORE_STORE_H */
