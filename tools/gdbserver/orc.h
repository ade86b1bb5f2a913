/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How to unwind the kernel's stack, from its ORC tables to DWARF. */
#ifndef KVMI_TOOL_GDB_ORC_H
#define KVMI_TOOL_GDB_ORC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The content of .debug_frame; the owner frees bytes. */
struct orc_frames {
	uint8_t *bytes;
	size_t size, room;
	bool is_short;		/* there was no memory for all */
};

struct orc_entry {
	int16_t sp_offset, bp_offset;
	uint16_t bits;		/* sp_reg:4, bp_reg:4, type:3, signal:1 */
};

/*
 * Makes frames of count rows: the code from ips[i] to ips[i + 1] is unwound as
 * entries[i] says. The last one only ends the one before.
 */
void orc_convert(const uint64_t *ips, const struct orc_entry *entries,
		 size_t count, struct orc_frames *frames);

struct gdb;
/* Those of the guest's kernel; none if it has none that are known. */
void orc_read(struct gdb *g, uint64_t kaslr, struct orc_frames *frames);

#endif
