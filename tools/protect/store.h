/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an instruction that is about to store would store, and where. */
#ifndef KVMI_TOOL_STORE_H
#define KVMI_TOOL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvmi.h>

#define STORE_MAX	8

/* Reads the guest's memory by the tables of its vCPU: 0 or -errno. */
typedef int (*store_read_fn)(void *source, uint64_t gva, void *to, size_t size);

struct store {
	uint64_t gva;
	size_t size;		/* bytes; of a REP those of one iteration */
	bool is_known;		/* whether bytes are */
	bool is_copied;		/* from memory, which others can change */
	uint8_t bytes[STORE_MAX];
};

/*
 * Decodes 64-bit code: MOV, MOVS and STOS are known, of others that write
 * memory only where and how much.
 * @arch:	the vCPU before it
 * @code:	the instruction, @length bytes
 * @read:	for what MOVS stores
 * Returns 0 or -ENOENT: it stores nothing to an explicit operand.
 */
int store_decode(struct store *store, const struct kvmi_vcpu_event_arch *arch,
		 const uint8_t *code, size_t length, store_read_fn read,
		 void *source);

/*
 * Tells where the operand in memory of LIDT or LGDT is, in 64-bit code.
 * Returns 0 or -ENOENT: it has none.
 */
int store_operand(uint64_t *gva, const struct kvmi_vcpu_event_arch *arch,
		  const uint8_t *code, size_t length);

#endif
