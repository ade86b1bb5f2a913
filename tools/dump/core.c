// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The beginning of a core. It is written by hand and not with libelf, as that
 * cannot write to a pipe, and all that follows is memory.
 *
 * Programs look memory up by p_paddr, and some want it in order and only once. So
 * the kernel's image, which has addresses of its own, cuts the memory around it.
 * Segments say nothing of alignment, as in QEMU's cores: crash takes one that does
 * for another kind of core, and dies of it.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"

#define SEGMENTS_MAX	(PN_XNUM - 1)

struct table {
	Elf64_Phdr *list;
	size_t count;
	uint64_t offset;	/* of the memory that comes next */
};

static void add(struct table *t, uint64_t gpa, uint64_t size, uint64_t gva)
{
	if (!size)
		return;
	t->list[t->count++] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_flags = PF_R | PF_W | PF_X,
		.p_offset = t->offset, .p_vaddr = gva, .p_paddr = gpa,
		.p_filesz = size, .p_memsz = size,
	};
	t->offset += size;
}

static uint64_t direct(const struct dump_kernel *kernel, uint64_t gpa)
{
	return kernel->direct ? kernel->direct + gpa : 0;
}

static void add_span(struct table *t, const struct span *span,
		     const struct dump_kernel *kernel)
{
	uint64_t from = span->gpa, end = span->gpa + span->size;
	const struct span *part = kernel->image;
	const struct span *last = part + kernel->image_parts;

	for (; part < last; part++) {
		if (part->gpa < from || part->gpa + part->size > end)
			continue;
		add(t, from, part->gpa - from, direct(kernel, from));
		add(t, part->gpa, part->size, part->gpa + kernel->image_offset);
		from = part->gpa + part->size;
	}
	add(t, from, end - from, direct(kernel, from));
}

static Elf64_Ehdr elf_header(size_t segments)
{
	return (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE, .e_machine = EM_X86_64,
		.e_version = EV_CURRENT, .e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)segments,
	};
}

/* The notes, and two more for each part of the image, at most. */
static size_t count_headers(const struct ram *ram,
			    const struct dump_kernel *kernel)
{
	return ram->count + 1 + 2 * kernel->image_parts;
}

static int fill(struct core *core, struct table *t, const struct ram *ram,
		const struct notes *notes, const struct dump_kernel *kernel)
{
	size_t i, table_size = count_headers(ram, kernel) *
			       sizeof(*t->list);
	Elf64_Ehdr header;

	core->size = sizeof(header) + table_size + notes->size;
	core->size = (core->size + DUMP_PAGE - 1) & ~(DUMP_PAGE - 1);
	core->head = calloc(1, core->size);
	if (!core->head)
		return -ENOMEM;
	t->list[t->count++] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = sizeof(header) + table_size,
		.p_filesz = notes->size, .p_memsz = notes->size, .p_align = 4,
	};
	t->offset = core->size;
	for (i = 0; i < ram->count; i++)
		add_span(t, &ram->spans[i], kernel);
	header = elf_header(t->count);
	memcpy(core->head, &header, sizeof(header));
	memcpy(core->head + sizeof(header), t->list, table_size);
	memcpy(core->head + sizeof(header) + table_size, notes->bytes,
	       notes->size);
	return 0;
}

int core_make(struct core *core, const struct ram *ram,
	      const struct notes *notes, const struct dump_kernel *kernel)
{
	struct table table = { 0 };
	int err;

	if (count_headers(ram, kernel) > SEGMENTS_MAX)
		return -E2BIG;
	table.list = calloc(count_headers(ram, kernel), sizeof(*table.list));
	if (!table.list)
		return -ENOMEM;
	err = fill(core, &table, ram, notes, kernel);
	free(table.list);
	return err;
}
