// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Registers of vCPUs for people and programs: a row for each register, a column
 * for each vCPU, and as many vCPUs side by side as are readable.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "kvmi.h"

#define SIDE_BY_SIDE	4
#define FIELDS		30

struct field {
	const char *name;
	uint64_t value;
};

static void list_fields(struct field f[FIELDS], const struct registers *of)
{
	const struct kvm_sregs *s = &of->sregs;
	const struct kvm_regs *r = &of->regs;
	const struct field fields[] = {
		{ "rax", r->rax }, { "rbx", r->rbx }, { "rcx", r->rcx },
		{ "rdx", r->rdx }, { "rsi", r->rsi }, { "rdi", r->rdi },
		{ "rsp", r->rsp }, { "rbp", r->rbp }, { "r8", r->r8 },
		{ "r9", r->r9 }, { "r10", r->r10 }, { "r11", r->r11 },
		{ "r12", r->r12 }, { "r13", r->r13 }, { "r14", r->r14 },
		{ "r15", r->r15 }, { "rip", r->rip }, { "rflags", r->rflags },
		{ "cr0", s->cr0 }, { "cr2", s->cr2 }, { "cr3", s->cr3 },
		{ "cr4", s->cr4 }, { "cr8", s->cr8 }, { "efer", s->efer },
		{ "cs", s->cs.selector }, { "ss", s->ss.selector },
		{ "fs_base", s->fs.base }, { "gs_base", s->gs.base },
		{ "gdt_base", s->gdt.base }, { "idt_base", s->idt.base },
	};

	_Static_assert(sizeof(fields) == FIELDS * sizeof(*f), "count them");
	memcpy(f, fields, sizeof(fields));
}

/* Of a vCPU that has not started there is nothing to show. */
static void set_value(struct libscols_line *line, size_t column,
		      const struct registers *of, uint64_t value)
{
	char text[20];

	snprintf(text, sizeof(text), "%016" PRIx64, value);
	scols_line_set_data(line, column, of->is_started ? text : "-");
}

static void add_rows(struct libscols_table *table, const struct registers *all,
		     size_t count, const struct msr_names *msrs)
{
	struct field fields[SIDE_BY_SIDE][FIELDS];
	struct libscols_line *line;
	size_t i, j;

	for (j = 0; j < count; j++)
		list_fields(fields[j], &all[j]);
	for (i = 0; i < FIELDS; i++) {
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, fields[0][i].name);
		for (j = 0; j < count; j++)
			set_value(line, j + 1, &all[j], fields[j][i].value);
	}
	for (i = 0; i < msrs->count; i++) {
		line = scols_table_new_line(table, NULL);
		scols_line_set_data(line, 0, msrs->names[i]);
		for (j = 0; j < count; j++)
			set_value(line, j + 1, &all[j], all[j].msrs[i]);
	}
}

static void print_some(const struct registers *all, size_t count,
		       const struct msr_names *msrs)
{
	struct libscols_table *table = scols_new_table();
	struct libscols_line *line;
	char text[24];
	size_t i;

	scols_table_new_column(table, "REGISTER", 0, 0);
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "VCPU %u", all[i].vcpu);
		scols_table_new_column(table, text, 0, SCOLS_FL_RIGHT);
	}
	line = scols_table_new_line(table, NULL);
	scols_line_set_data(line, 0, "mode");
	for (i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%u-bit", all[i].mode * 8);
		scols_line_set_data(line, i + 1, all[i].is_started ?
				    text : "not started");
	}
	add_rows(table, all, count, msrs);
	scols_print_table(table);
	scols_unref_table(table);
}

void print_registers(const struct registers *all, size_t count,
		     const struct msr_names *msrs)
{
	size_t i;

	for (i = 0; i < count; i += SIDE_BY_SIDE) {
		if (i)
			putchar('\n');
		print_some(all + i, count - i < SIDE_BY_SIDE ? count - i :
							       SIDE_BY_SIDE,
			   msrs);
	}
}

struct json_object *json_registers(const struct registers *of,
				   const struct msr_names *names)
{
	struct json_object *o = json_object_new_object(), *msrs;
	struct field fields[FIELDS];
	size_t i;

	list_fields(fields, of);
	json_object_object_add(o, "vcpu", json_object_new_int((int)of->vcpu));
	json_object_object_add(o, "started",
			       json_object_new_boolean(of->is_started));
	if (!of->is_started)
		return o;
	json_object_object_add(o, "mode", json_object_new_int((int)of->mode));
	for (i = 0; i < FIELDS; i++)
		json_object_object_add(o, fields[i].name,
				       json_gpa(fields[i].value));
	if (!names->names)
		return o;
	msrs = json_object_new_object();
	for (i = 0; i < names->count; i++)
		json_object_object_add(msrs, names->names[i],
				       json_gpa(of->msrs[i]));
	json_object_object_add(o, "msrs", msrs);
	return o;
}

struct json_object *json_all_registers(const struct registers *all,
				       size_t count,
				       const struct msr_names *msrs)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, json_registers(&all[i], msrs));
	return array;
}
