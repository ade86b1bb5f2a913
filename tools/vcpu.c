// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPUs: which of them, and their registers for people and programs. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "kvmi.h"

int vcpu_option(const struct verb *verb, const char *text)
{
	uint64_t number;

	if (parse_number(text, &number) || number > UINT16_MAX)
		usage(verb, "'%s' is no number of a vCPU", text);
	return (int)number;
}

int vcpu_range(struct kvmi_vm *vm, int wanted, unsigned int *first,
	       unsigned int *end)
{
	struct kvmi_vm_get_info_reply info;
	int err;

	err = kvmi_vm_get_info(vm, &info);
	if (err) {
		complain(err, "cannot ask for the number of vCPUs");
		return err;
	}
	*first = wanted < 0 ? 0 : (unsigned int)wanted;
	*end = wanted < 0 ? info.vcpu_count : *first + 1;
	return 0;
}

struct field {
	const char *name;
	uint64_t value;
};

static size_t list_fields(struct field *f, const struct kvm_regs *r,
			  const struct kvm_sregs *s)
{
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

	memcpy(f, fields, sizeof(fields));
	return sizeof(fields) / sizeof(fields[0]);
}

void print_registers(unsigned int vcpu, unsigned int mode,
		     const struct kvm_regs *regs,
		     const struct kvm_sregs *sregs)
{
	struct field fields[32];
	size_t count = list_fields(fields, regs, sregs);
	size_t i;

	printf("vCPU %u, %u-bit code", vcpu, mode * 8);
	for (i = 0; i < count; i++)
		printf("%s%-8s %016" PRIx64, i % 3 ? "  " : "\n",
		       fields[i].name, fields[i].value);
	putchar('\n');
}

struct json_object *json_registers(unsigned int vcpu, unsigned int mode,
				   const struct kvm_regs *regs,
				   const struct kvm_sregs *sregs)
{
	struct json_object *o = json_object_new_object();
	struct field fields[32];
	size_t count = list_fields(fields, regs, sregs);
	size_t i;

	json_object_object_add(o, "vcpu", json_object_new_int((int)vcpu));
	json_object_object_add(o, "mode", json_object_new_int((int)mode));
	for (i = 0; i < count; i++)
		json_object_object_add(o, fields[i].name,
				       json_gpa(fields[i].value));
	return o;
}
