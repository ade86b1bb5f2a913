// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The registers of a vCPU as gdb numbers them, and the description in XML that
 * tells it so. gdb knows the first three groups by name; of the last it shows
 * what it is told.
 */
#include <errno.h>
#include <stdlib.h>

#include "gdb.h"

#define SIZE_MAX_REGISTER 16

enum place { REGS, SREGS, MSRS, SELECTOR, FPU, TAGS };

struct reg {
	const char *name, *type;
	enum place place;
	size_t at;		/* offset there */
	uint8_t bytes;		/* for gdb */
	uint8_t kept;		/* where it is, fewer or equal */
	const char *feature;	/* that begins here */
};

#define REG(name, type)	{ #name, type, REGS, \
			  offsetof(struct kvm_regs, name), 8, 8, NULL }
#define SREG(name)	{ #name, "int64", SREGS, \
			  offsetof(struct kvm_sregs, name), 8, 8, NULL }
#define SEG(name)	{ #name, "int32", SELECTOR, \
			  offsetof(struct kvm_sregs, name.selector), 4, 2, NULL }
#define ST(n)		{ "st" #n, "i387_ext", FPU, 32 + 16 * (n), 10, 10, NULL }
#define XMM(n)		{ "xmm" #n, "vec128", FPU, 160 + 16 * (n), 16, 16, NULL }
#define CTRL(name, at, kept) { name, "int", FPU, at, 4, kept, NULL }

static const struct reg registers[] = {
	{ "rax", "int64", REGS, offsetof(struct kvm_regs, rax), 8, 8,
	  "org.gnu.gdb.i386.core" },
	REG(rbx, "int64"), REG(rcx, "int64"), REG(rdx, "int64"),
	REG(rsi, "int64"), REG(rdi, "int64"), REG(rbp, "data_ptr"),
	REG(rsp, "data_ptr"), REG(r8, "int64"), REG(r9, "int64"),
	REG(r10, "int64"), REG(r11, "int64"), REG(r12, "int64"),
	REG(r13, "int64"), REG(r14, "int64"), REG(r15, "int64"),
	REG(rip, "code_ptr"),
	{ "eflags", "i386_eflags", REGS, offsetof(struct kvm_regs, rflags),
	  4, 4, NULL },
	SEG(cs), SEG(ss), SEG(ds), SEG(es), SEG(fs), SEG(gs),
	ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
	CTRL("fctrl", 0, 2), CTRL("fstat", 2, 2),
	{ "ftag", "int", TAGS, 4, 4, 1, NULL },
	CTRL("fiseg", 12, 2), CTRL("fioff", 8, 4), CTRL("foseg", 20, 2),
	CTRL("fooff", 16, 4), CTRL("fop", 6, 2),
	{ "xmm0", "vec128", FPU, 160, 16, 16, "org.gnu.gdb.i386.sse" },
	XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9),
	XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15),
	CTRL("mxcsr", 24, 4),
	{ "fs_base", "int64", SREGS, offsetof(struct kvm_sregs, fs.base), 8, 8,
	  "org.gnu.gdb.i386.segments" },
	{ "gs_base", "int64", SREGS, offsetof(struct kvm_sregs, gs.base), 8, 8,
	  NULL },
	{ "k_gs_base", "int64", MSRS, 0, 8, 8, "org.kvmi.system" },
	SREG(cr0), SREG(cr2), SREG(cr3), SREG(cr4), SREG(cr8), SREG(efer),
	{ "gdt_base", "int64", SREGS, offsetof(struct kvm_sregs, gdt.base),
	  8, 8, NULL },
	{ "idt_base", "int64", SREGS, offsetof(struct kvm_sregs, idt.base),
	  8, 8, NULL },
};

#define REGISTERS (sizeof(registers) / sizeof(registers[0]))

#define SHADOW_GS 0xc0000102

/* All of a vCPU. The x87 and SSE part is asked for when it is wanted. */
struct file {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t shadow_gs;
	uint8_t fpu[4096];
	int fpu_err;		/* 1: not asked for yet */
};

static int read_file_of(struct gdb *g, unsigned int vcpu, struct file *f)
{
	struct kvmi_vcpu_get_registers_reply reply;
	const struct gdb_vcpu *c = &g->vcpus[vcpu];
	const struct kvmi_vcpu_event *state;
	const uint32_t msr = SHADOW_GS;
	int err = 0;

	f->fpu_err = 1;
	if (c->event) {
		state = kvmi_event_get_state(c->event);
		f->regs = state->arch.regs;
		f->sregs = state->arch.sregs;
		f->shadow_gs = state->arch.msrs.shadow_gs;
	} else {
		err = kvmi_vcpu_get_registers(g->vm, vcpu, &msr, 1, &reply,
					      &f->shadow_gs);
		f->regs = reply.regs;
		f->sregs = reply.sregs;
	}
	if (c->is_changed)
		f->regs = c->regs;
	return err;
}

static int read_fpu(struct gdb *g, struct file *f)
{
	struct kvmi_vcpu_get_xsave_reply reply;

	if (f->fpu_err > 0) {
		f->fpu_err = kvmi_vcpu_get_xsave(g->vm, g->current, &reply);
		if (!f->fpu_err)
			memcpy(f->fpu, &reply, sizeof(f->fpu));
	}
	return f->fpu_err;
}

/* A bit for each x87 register that is in use; gdb wants two, 3 for empty. */
static uint32_t spread_tags(uint8_t tags)
{
	uint32_t word = 0;
	int i;

	for (i = 0; i < 8; i++)
		if (!(tags & 1 << i))
			word |= 3u << 2 * i;
	return word;
}

static void *place_of(struct file *f, const struct reg *r)
{
	switch (r->place) {
	case REGS:
		return (uint8_t *)&f->regs + r->at;
	case SREGS:
	case SELECTOR:
		return (uint8_t *)&f->sregs + r->at;
	case MSRS:
		return &f->shadow_gs;
	default:
		return f->fpu + r->at;
	}
}

static int get(struct gdb *g, struct file *f, const struct reg *r, uint8_t *to)
{
	uint32_t tags;
	int err = 0;

	memset(to, 0, r->bytes);
	if (r->place >= FPU)
		err = read_fpu(g, f);
	if (err)
		return err;
	memcpy(to, place_of(f, r), r->kept);
	if (r->place == TAGS) {
		tags = spread_tags(to[0]);
		memcpy(to, &tags, sizeof(tags));
	}
	return 0;
}

static int set_fpu(struct gdb *g, struct file *f)
{
	struct kvmi_vcpu_set_xsave area;
	uint64_t parts;

	/* What gdb wrote is no longer the initial state. */
	memcpy(&parts, f->fpu + 512, sizeof(parts));
	parts |= 3;
	memcpy(f->fpu + 512, &parts, sizeof(parts));
	memcpy(&area, f->fpu, sizeof(area));
	return kvmi_vcpu_set_xsave(g->vm, g->current, &area);
}

/* The kernel takes the general registers, those of the x87 and SSE. */
static int set(struct gdb *g, struct file *f, const struct reg *r,
	       const uint8_t *from)
{
	struct gdb_vcpu *c = &g->vcpus[g->current];
	uint8_t now[SIZE_MAX_REGISTER];
	int err = get(g, f, r, now);

	if (err || !memcmp(now, from, r->bytes))
		return err;
	if (r->place == FPU) {
		memcpy(f->fpu + r->at, from, r->kept);
		return set_fpu(g, f);
	}
	if (r->place != REGS || !c->event)
		return -EOPNOTSUPP;
	memcpy(place_of(f, r), from, r->kept);
	c->regs = f->regs;
	c->is_changed = true;
	return 0;
}

void gdb_get_registers(struct gdb *g)
{
	char text[2 * SIZE_MAX_REGISTER * REGISTERS + 1];
	uint8_t value[SIZE_MAX_REGISTER];
	size_t i, n = 0;
	struct file f;

	if (read_file_of(g, g->current, &f)) {
		wire_say(&g->wire, "E0e");
		return;
	}
	for (i = 0; i < REGISTERS; i++) {
		if (get(g, &f, &registers[i], value))
			memset(text + n, 'x', 2u * registers[i].bytes);
		else
			wire_to_hex(value, registers[i].bytes, text + n);
		n += 2u * registers[i].bytes;
	}
	wire_send(&g->wire, text, n);
}

void gdb_set_registers(struct gdb *g, const char *hex)
{
	uint8_t values[SIZE_MAX_REGISTER * REGISTERS];
	ssize_t size = wire_from_hex(hex, values, sizeof(values));
	const uint8_t *at = values;
	struct file f;
	int err;
	size_t i;

	err = size < 0 ? -EINVAL : read_file_of(g, g->current, &f);
	for (i = 0; i < REGISTERS && !err; i++) {
		if (at + registers[i].bytes > values + size)
			break;
		err = set(g, &f, &registers[i], at);
		at += registers[i].bytes;
	}
	wire_say(&g->wire, err ? "E16" : "OK");
}

void gdb_get_register(struct gdb *g, const char *text)
{
	uint8_t value[SIZE_MAX_REGISTER];
	char hex[2 * SIZE_MAX_REGISTER + 1];
	uint64_t number;
	struct file f;
	int err;

	err = wire_number(&text, &number);
	if (!err && number >= REGISTERS)
		err = -EINVAL;
	if (!err)
		err = read_file_of(g, g->current, &f);
	if (!err)
		err = get(g, &f, &registers[number], value);
	if (!err)
		wire_to_hex(value, registers[number].bytes, hex);
	wire_say(&g->wire, err ? "E0e" : hex);
}

void gdb_set_register(struct gdb *g, const char *text)
{
	uint8_t value[SIZE_MAX_REGISTER];
	uint64_t number;
	struct file f;
	int err;

	err = wire_number(&text, &number);
	if (!err && (number >= REGISTERS || *text++ != '='))
		err = -EINVAL;
	if (!err && wire_from_hex(text, value, sizeof(value)) !=
		    registers[number].bytes)
		err = -EINVAL;
	if (!err)
		err = read_file_of(g, g->current, &f);
	if (!err)
		err = set(g, &f, &registers[number], value);
	wire_say(&g->wire, err ? "E16" : "OK");
}

int gdb_pc(struct gdb *g, unsigned int vcpu, uint64_t *pc)
{
	struct file f;
	int err = read_file_of(g, vcpu, &f);

	*pc = f.regs.rip;
	return err;
}

static const char core_types[] =
	"<flags id=\"i386_eflags\" size=\"4\">"
	"<field name=\"CF\" start=\"0\" end=\"0\"/>"
	"<field name=\"PF\" start=\"2\" end=\"2\"/>"
	"<field name=\"AF\" start=\"4\" end=\"4\"/>"
	"<field name=\"ZF\" start=\"6\" end=\"6\"/>"
	"<field name=\"SF\" start=\"7\" end=\"7\"/>"
	"<field name=\"TF\" start=\"8\" end=\"8\"/>"
	"<field name=\"IF\" start=\"9\" end=\"9\"/>"
	"<field name=\"DF\" start=\"10\" end=\"10\"/>"
	"<field name=\"OF\" start=\"11\" end=\"11\"/>"
	"<field name=\"NT\" start=\"14\" end=\"14\"/>"
	"<field name=\"RF\" start=\"16\" end=\"16\"/>"
	"<field name=\"AC\" start=\"18\" end=\"18\"/>"
	"</flags>";

static const char sse_types[] =
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	"<union id=\"vec128\">"
	"<field name=\"v4_float\" type=\"v4f\"/>"
	"<field name=\"v2_double\" type=\"v2d\"/>"
	"<field name=\"v16_int8\" type=\"v16i8\"/>"
	"<field name=\"v8_int16\" type=\"v8i16\"/>"
	"<field name=\"v4_int32\" type=\"v4i32\"/>"
	"<field name=\"v2_int64\" type=\"v2i64\"/>"
	"<field name=\"uint128\" type=\"uint128\"/></union>";

static void describe_feature(FILE *to, const char *name, bool is_first)
{
	fprintf(to, "%s<feature name=\"%s\">%s", is_first ? "" : "</feature>",
		name, is_first ? core_types : "");
	if (strstr(name, "sse"))
		fputs(sse_types, to);
}

char *gdb_describe(void)
{
	char *text = NULL;
	size_t size, i;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
	      "<target><architecture>i386:x86-64</architecture>", to);
	for (i = 0; i < REGISTERS; i++) {
		if (registers[i].feature)
			describe_feature(to, registers[i].feature, !i);
		fprintf(to, "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>",
			registers[i].name, 8 * registers[i].bytes,
			registers[i].type);
	}
	fputs("</feature></target>", to);
	return fclose(to) ? NULL : text;
}
