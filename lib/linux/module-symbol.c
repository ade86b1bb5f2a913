// SPDX-License-Identifier: LGPL-2.1-or-later
/* Symbols of modules: each keeps a table of its own, as ELF files have it. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "module.h"

#define SYMBOLS_MAX	(1u << 18)
#define TEXT_MAX	(16ul << 20)
#define NAME_SIZE	512

struct name_table {
	Elf64_Sym *symbols;
	uint32_t count;
	char *text;
	size_t size;
};

/* Where the tables are, and how many symbols there are. */
static int find_table(struct linux_guest *guest, uint64_t module,
		      uint64_t *symbols, uint64_t *text, uint32_t *count)
{
	static const char name[] = "mod_kallsyms";
	uint64_t offset, at;
	int err = linux_offset(guest, "module", "kallsyms", &offset);

	if (!err)
		err = memory_read(guest, module + offset, &at, sizeof(at));
	if (!err)
		err = linux_offset(guest, name, "symtab", &offset);
	if (!err)
		err = memory_read(guest, at + offset, symbols, sizeof(*symbols));
	if (!err)
		err = linux_offset(guest, name, "strtab", &offset);
	if (!err)
		err = memory_read(guest, at + offset, text, sizeof(*text));
	if (!err)
		err = linux_offset(guest, name, "num_symtab", &offset);
	if (!err)
		err = memory_read(guest, at + offset, count, sizeof(*count));
	if (!err && *count > SYMBOLS_MAX)
		err = -EBADMSG;
	return err;
}

/* Nothing says how long the names are; behind the last one may be no memory. */
static int read_text(struct linux_guest *guest, uint64_t from,
		     struct name_table *table)
{
	size_t part, i, end = 0;
	int err = 0;

	for (i = 0; i < table->count; i++)
		if (table->symbols[i].st_name >= end)
			end = table->symbols[i].st_name + 1ul;
	end += NAME_SIZE;
	if (end > TEXT_MAX)
		return -EBADMSG;
	table->text = calloc(end + 1, 1);
	if (!table->text)
		return -ENOMEM;
	for (; table->size < end && !err; table->size += err ? 0 : part) {
		part = IMAGE_PAGE - (from + table->size) % IMAGE_PAGE;
		part = part < end - table->size ? part : end - table->size;
		err = memory_read(guest, from + table->size,
				  table->text + table->size, part);
	}
	return err == -EFAULT ? 0 : err;
}

static int read_table(struct linux_guest *guest, uint64_t module,
		      struct name_table *table)
{
	uint64_t symbols, text;
	int err = find_table(guest, module, &symbols, &text, &table->count);

	if (err)
		return err;
	table->symbols = calloc(table->count + 1ul, sizeof(*table->symbols));
	if (!table->symbols)
		return -ENOMEM;
	err = memory_read(guest, symbols, table->symbols,
			  table->count * sizeof(*table->symbols));
	return err ? err : read_text(guest, text, table);
}

static int search(const struct name_table *table, const char *name, uint64_t *gva)
{
	const Elf64_Sym *s = table->symbols;
	size_t i;

	for (i = 0; i < table->count; i++, s++) {
		if (s->st_shndx == SHN_UNDEF || s->st_name >= table->size ||
		    strcmp(table->text + s->st_name, name))
			continue;
		*gva = s->st_value;
		return 0;
	}
	return -ENOENT;
}

static int look_in(struct linux_guest *guest, uint64_t module, const char *name,
		   uint64_t *gva)
{
	struct name_table table = { 0 };
	int err = read_table(guest, module, &table);

	if (!err)
		err = search(&table, name, gva);
	free(table.symbols);
	free(table.text);
	/* What is wrong with one module is not with the next one. */
	return err == -EFAULT || err == -EBADMSG || err == -ENODATA ?
	       -ENOENT : err;
}

int module_symbol(struct linux_guest *guest, const char *name, uint64_t *gva)
{
	const char *colon = strchr(name, ':');
	size_t i, length = colon ? (size_t)(colon - name) : 0;
	const struct linux_module *m;
	int err = -ENOENT;

	modules_refresh(guest);
	memory_ask(guest);
	for (i = 0; i < guest->module_count && err == -ENOENT; i++) {
		m = &guest->modules[i];
		if (colon && (strlen(m->name) != length ||
			      memcmp(m->name, name, length)))
			continue;
		err = look_in(guest, m->gva, colon ? colon + 1 : name, gva);
	}
	return err;
}
