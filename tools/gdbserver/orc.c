// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Linux is built without frame pointers and has tables of its own to unwind its
 * stack, "ORC", in memory. A row tells, from an address on, where the caller's
 * stack pointer, its frame pointer and the return address are. gdb reads the
 * same as DWARF. Other registers that a function keeps are not told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "orc.h"

/* As in asm/orc_types.h since Linux 6.4. */
enum {
	REG_UNDEFINED, REG_PREV_SP, REG_DX, REG_DI, REG_BP, REG_SP, REG_R10,
	REG_R13, REG_BP_INDIRECT, REG_SP_INDIRECT
};

enum { TYPE_UNDEFINED, TYPE_END, TYPE_CALL, TYPE_REGS, TYPE_PARTIAL };

/* DWARF's numbers of registers. */
enum {
	DW_DX = 1, DW_BX = 3, DW_DI = 5, DW_BP = 6, DW_SP = 7, DW_R10 = 10,
	DW_R13 = 13, DW_RA = 16
};

enum {
	CFA_ADVANCE = 0x40, CFA_ADVANCE1 = 2, CFA_ADVANCE2 = 3,
	CFA_ADVANCE4 = 4, CFA_UNDEFINED = 7, CFA_SAME = 8, CFA_DEF = 0xc,
	CFA_DEF_EXPRESSION = 0xf, CFA_EXPRESSION = 0x10, CFA_OFFSET_SF = 0x11,
	OP_DEREF = 6, OP_CONSTS = 0x11, OP_PLUS = 0x22, OP_BREG = 0x70,
};

/* gdb goes through a frame from its start to find a row. */
#define ROWS_MAX	64
#define ALIGN		8
/* Where the second one of put_start() is. */
#define CIE_SIZE	16

static unsigned int sp_reg(const struct orc_entry *e)
{
	return e->bits & 15;
}

static unsigned int bp_reg(const struct orc_entry *e)
{
	return e->bits >> 4 & 15;
}

static unsigned int type_of(const struct orc_entry *e)
{
	return e->bits >> 8 & 7;
}

static void put(struct orc_frames *f, const void *data, size_t size)
{
	uint8_t *bytes;
	size_t room;

	if (f->size + size > f->room) {
		room = 2 * f->room + size + 4096;
		bytes = realloc(f->bytes, room);
		f->is_short |= !bytes;
		if (!bytes)
			return;
		f->bytes = bytes;
		f->room = room;
	}
	memcpy(f->bytes + f->size, data, size);
	f->size += size;
}

static void put_byte(struct orc_frames *f, unsigned int value)
{
	uint8_t byte = (uint8_t)value;

	put(f, &byte, 1);
}

/* SLEB128 */
static void put_signed(struct orc_frames *f, int64_t value)
{
	bool is_last;

	do {
		unsigned int low = value & 0x7f;

		value >>= 7;
		is_last = value == (low & 0x40 ? -1 : 0);
		put_byte(f, low | (is_last ? 0 : 0x80));
	} while (!is_last);
}

/* In front of the bytes how many they are; filled up to a multiple of 8. */
static size_t begin(struct orc_frames *f)
{
	const uint32_t later = 0;

	put(f, &later, sizeof(later));
	return f->size;
}

static void end(struct orc_frames *f, size_t from)
{
	uint32_t size;

	while ((f->size - from + sizeof(size)) % ALIGN)
		put_byte(f, 0);
	size = (uint32_t)(f->size - from);
	if (!f->is_short)
		memcpy(f->bytes + from - sizeof(size), &size, sizeof(size));
}

/* What all frames share; "S" are those that an exception has interrupted. */
static void put_start(struct orc_frames *f, bool is_signal)
{
	const uint32_t id = UINT32_MAX;
	size_t from = begin(f);

	put(f, &id, sizeof(id));
	put_byte(f, 1);
	if (is_signal)
		put_byte(f, 'S');
	put_byte(f, 0);
	put_byte(f, 1);		/* unit of addresses */
	put_signed(f, -ALIGN);	/* unit of offsets */
	put_byte(f, DW_RA);
	end(f, from);
}

static void put_offset(struct orc_frames *f, unsigned int reg, int64_t offset)
{
	put_byte(f, CFA_OFFSET_SF);
	put_byte(f, reg);
	put_signed(f, offset / -ALIGN);
}

static void put_indirect(struct orc_frames *f, unsigned int reg,
			 int64_t before, int64_t after)
{
	size_t at;

	put_byte(f, CFA_DEF_EXPRESSION);
	put_byte(f, 0);
	at = f->size;
	put_byte(f, OP_BREG + reg);
	put_signed(f, before);
	put_byte(f, OP_DEREF);
	put_byte(f, OP_CONSTS);
	put_signed(f, after);
	put_byte(f, OP_PLUS);
	if (!f->is_short)
		f->bytes[at - 1] = (uint8_t)(f->size - at);
}

/* Where the caller's stack pointer was, or the frame of an exception is. */
static bool put_cfa(struct orc_frames *f, const struct orc_entry *e)
{
	static const uint8_t regs[] = {
		[REG_DX] = DW_DX, [REG_DI] = DW_DI, [REG_BP] = DW_BP,
		[REG_SP] = DW_SP, [REG_R10] = DW_R10, [REG_R13] = DW_R13,
	};

	if (sp_reg(e) == REG_SP_INDIRECT) {
		put_indirect(f, DW_SP, 0, e->sp_offset);
	} else if (sp_reg(e) == REG_BP_INDIRECT) {
		put_indirect(f, DW_BP, e->sp_offset, 0);
	} else if (sp_reg(e) < sizeof(regs) && regs[sp_reg(e)]) {
		/* By expression, as CFA_DEF has no negative offsets. */
		put_byte(f, CFA_DEF + 6);
		put_byte(f, regs[sp_reg(e)]);
		put_signed(f, e->sp_offset / -ALIGN);
	} else {
		return false;
	}
	return true;
}

static void put_bp(struct orc_frames *f, const struct orc_entry *e)
{
	size_t at;

	if (bp_reg(e) == REG_PREV_SP) {
		put_offset(f, DW_BP, e->bp_offset);
	} else if (bp_reg(e) == REG_BP) {
		put_byte(f, CFA_EXPRESSION);
		put_byte(f, DW_BP);
		put_byte(f, 0);
		at = f->size;
		put_byte(f, OP_BREG + DW_BP);
		put_signed(f, e->bp_offset);
		if (!f->is_short)
			f->bytes[at - 1] = (uint8_t)(f->size - at);
	} else {
		put_byte(f, CFA_SAME);
		put_byte(f, DW_BP);
	}
}

/* struct pt_regs: 21 registers, the first is r15. */
static void put_registers(struct orc_frames *f)
{
	static const uint8_t order[] = { 15, 14, 13, 12, DW_BP, DW_BX, 11, 10,
					 9, 8, 0, 2, DW_DX, 4, DW_DI };
	unsigned int i;

	for (i = 0; i < sizeof(order); i++)
		put_offset(f, order[i], 8 * i);
	put_offset(f, DW_RA, 128);
	put_offset(f, DW_SP, 152);
}

static void put_row(struct orc_frames *f, const struct orc_entry *e)
{
	unsigned int type = type_of(e);

	if ((type != TYPE_CALL && type != TYPE_REGS && type != TYPE_PARTIAL) ||
	    !put_cfa(f, e)) {
		/* The end of the stack, or of what is known. */
		put_byte(f, CFA_DEF);
		put_byte(f, DW_SP);
		put_byte(f, 0);
		put_byte(f, CFA_UNDEFINED);
		put_byte(f, DW_RA);
	} else if (type == TYPE_REGS) {
		put_registers(f);
	} else if (type == TYPE_PARTIAL) {
		put_offset(f, DW_RA, 0);
		put_offset(f, DW_SP, 24);
	} else {
		put_offset(f, DW_RA, -8);
		put_bp(f, e);
	}
}

static void put_advance(struct orc_frames *f, uint64_t by)
{
	uint16_t by2 = (uint16_t)by;
	uint32_t by4 = (uint32_t)by;

	if (by < CFA_ADVANCE) {
		put_byte(f, CFA_ADVANCE | (unsigned int)by);
	} else if (by <= UINT8_MAX) {
		put_byte(f, CFA_ADVANCE1);
		put_byte(f, (unsigned int)by);
	} else if (by <= UINT16_MAX) {
		put_byte(f, CFA_ADVANCE2);
		put(f, &by2, sizeof(by2));
	} else {
		put_byte(f, CFA_ADVANCE4);
		put(f, &by4, sizeof(by4));
	}
}

static bool is_call(const struct orc_entry *e)
{
	return type_of(e) == TYPE_CALL;
}

/* Rules stay from row to row, so only calls, which set the same, share one. */
static size_t put_frame(struct orc_frames *f, const uint64_t *ips,
			const struct orc_entry *entries, size_t count)
{
	const uint32_t start = is_call(&entries[0]) ? 0 : CIE_SIZE;
	size_t from = begin(f), i, rows = 1;
	uint64_t size;

	while (rows < count && rows < ROWS_MAX && is_call(&entries[0]) &&
	       is_call(&entries[rows]))
		rows++;
	size = ips[rows] - ips[0];
	put(f, &start, sizeof(start));
	put(f, &ips[0], sizeof(ips[0]));
	put(f, &size, sizeof(size));
	for (i = 0; i < rows; i++) {
		if (i)
			put_advance(f, ips[i] - ips[i - 1]);
		put_row(f, &entries[i]);
	}
	end(f, from);
	return rows;
}

void orc_convert(const uint64_t *ips, const struct orc_entry *entries,
		 size_t count, struct orc_frames *frames)
{
	size_t i;

	put_start(frames, false);
	put_start(frames, true);
	for (i = 0; i + 1 < count && !frames->is_short;)
		i += put_frame(frames, ips + i, entries + i, count - 1 - i);
	if (frames->is_short)
		frames->size = 0;
}
