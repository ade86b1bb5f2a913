/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a guest consists of, and what its parts have for each other. */
#ifndef KVMI_LINUX_WITHIN_H
#define KVMI_LINUX_WITHIN_H

#include <paging.h>

#include "field.h"
#include "linux-guest.h"

#define TABLES	64
#define ENTRIES	512
/* Processors that Linux can have. */
#define CPUS_MAX 8192

/* A page table as it was. */
struct table {
	uint64_t gpa;
	int64_t read_at;	/* ns; 0: never */
	uint64_t entries[ENTRIES];
};

/* Which processor, as the guest counts them, a vCPU is. */
struct place {
	uint64_t gdt;
	int cpu;		/* -1: not known */
};

struct task_fields;

struct linux_guest {
	struct kvmi_vm *vm;
	struct profile *profile;
	uint64_t kaslr;
	unsigned int levels;
	uint64_t root;		/* gpa of init_mm's highest table */
	uint64_t direct, direct_end;	/* where all memory is mapped */
	uint64_t text, text_end;	/* the kernel's image */
	int64_t asked;		/* ns: when the caller asked */
	struct table *tables;
	struct field_values fields;
	struct task_fields *task_fields;	/* NULL: not looked up yet */
	uint64_t *percpu;	/* where each processor has its variables */
	unsigned int cpus;
	struct place *places;	/* of the vCPUs */
	unsigned int place_count;
	struct linux_module *modules;	/* as they were at modules_at */
	size_t module_count;
	int64_t modules_at;
};

/* memory.c: as the public ones, in the course of one question. */
int64_t now_ns(void);
void memory_ask(struct linux_guest *guest);
int memory_translate(struct linux_guest *guest, uint64_t root, uint64_t gva,
		     uint64_t *gpa);
int memory_read(struct linux_guest *guest, uint64_t gva, void *to, size_t size);
int memory_read_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		   void *to, size_t size);

/* field.c: linux_read_field(), in the course of one question. */
int field_read(struct linux_guest *guest, uint64_t object,
	       const char *structure, const char *field, void *to, size_t size);

/* symbol.c: in the kernel itself. Returns 0 or -ENOENT. */
int kernel_symbol(struct linux_guest *guest, const char *name, uint64_t *gva);

/* cpu.c */
/* Where the processor has the variable of this offset. */
int cpu_variable(struct linux_guest *guest, unsigned int cpu, uint64_t offset,
		 uint64_t *gva);
/* Fills percpu and cpus. */
int cpu_find_all(struct linux_guest *guest);
/* The number of the processor that the vCPU is. */
int cpu_of_vcpu(struct linux_guest *guest, unsigned int vcpu,
		const struct kvm_sregs *sregs, unsigned int *cpu);

#endif
