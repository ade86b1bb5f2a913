// SPDX-License-Identifier: LGPL-2.1-or-later
/* Profiles of kernels: put together from what the other files find. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "file.h"
#include "guest.h"
#include "inside.h"

/* Where Linux is linked to unless its configuration says otherwise. */
#define DEFAULT_TEXT	0xffffffff81000000ull
/* In struct boot_params: the physical address it was linked for. */
#define PREF_ADDRESS	0x258
#define TEXT_ALIGN	(2ull << 20)

/* The boot loader hands the kernel back what it says of itself. */
static bool read_text(struct image *image, const struct symbols *symbols,
		      uint64_t *text)
{
	const struct symbol *params = symbols_find(symbols, "boot_params");
	const uint8_t *bytes;
	uint64_t address;

	bytes = params ? image_at(image, params->address + PREF_ADDRESS,
				  sizeof(address)) : NULL;
	address = bytes ? get64(bytes) : 0;
	if (!address || address % TEXT_ALIGN || address >= KERNEL_WINDOW_SIZE)
		return false;
	*text = KERNEL_WINDOW + address;
	return true;
}

/* Finds how far the kernel was moved, and takes that off its symbols. */
static void undo_kaslr(struct profile *p, struct image *image)
{
	const struct symbol *text = symbols_find(&p->symbols, "_text");
	uint64_t linked = DEFAULT_TEXT;
	size_t i;

	p->info.is_kaslr_guessed = !read_text(image, &p->symbols, &linked);
	if (!text || text->address < linked)
		return;
	p->info.kaslr = text->address - linked;
	for (i = 0; i < p->symbols.count; i++)
		if (!p->symbols.list[i].is_absolute)
			p->symbols.list[i].address -= p->info.kaslr;
}

static void read_banner(struct profile *p, struct image *image)
{
	const struct symbol *banner = symbols_find(&p->symbols, "linux_banner");
	const uint8_t *bytes;
	size_t i;

	bytes = banner ? image_at(image, banner->address + p->info.kaslr,
				  BANNER_MAX - 1) : NULL;
	if (!bytes)
		return;
	for (i = 0; i < BANNER_MAX - 1 && bytes[i]; i++) {
		p->banner[i] = (char)bytes[i];
		if (bytes[i] != '\n')
			p->first_line[i] = isprint(bytes[i]) ?
					   (char)bytes[i] : '?';
	}
}

static int fill(struct profile *p, struct kallsyms *tables, bool is_running)
{
	const struct symbol *text;
	int err = kallsyms_read(tables, &p->symbols);

	if (err)
		return err;
	p->info.is_running = is_running;
	if (is_running)
		undo_kaslr(p, tables->image);
	read_banner(p, tables->image);
	text = symbols_find(&p->symbols, "_text");
	p->info.text = text ? text->address : 0;
	p->info.symbols = p->symbols.count;
	p->info.banner = p->first_line;
	err = types_read(tables->image, &p->symbols, p->info.kaslr, &p->types);
	if (err)
		p->types = NULL;
	p->info.types = p->types ? btf__type_cnt(p->types) : 0;
	/* Symbols are good for something without types. */
	return err == -ENOMEM ? err : 0;
}

int profile_make(struct profile **profile, struct kallsyms *tables,
		 bool is_running)
{
	struct profile *p = calloc(1, sizeof(*p));
	int err = p ? fill(p, tables, is_running) : -ENOMEM;

	if (err) {
		profile_free(p);
		return err;
	}
	*profile = p;
	return 0;
}

int profile_from_file(struct profile **profile, const char *path)
{
	struct kallsyms tables;
	struct image image;
	int err = image_from_file(&image, path);

	if (err)
		return err;
	err = kallsyms_find(&tables, &image);
	if (!err)
		err = profile_make(profile, &tables, false);
	image_exit(&image);
	return err;
}

int profile_from_vm(struct profile **profile, struct kvmi_vm *vm)
{
	struct kallsyms tables;
	struct image image;
	struct guest guest;
	int err = guest_find(&guest, vm, &image, &tables);

	if (err)
		return err;
	err = profile_make(profile, &tables, true);
	if (!err) {
		(*profile)->info.levels = guest.levels;
		(*profile)->info.page_tables = guest.root;
	}
	guest_exit(&guest, &image);
	return err;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	btf__free(p->types);
	symbols_free(&p->symbols);
	free(p);
}

void profile_get_info(const struct profile *p, struct profile_info *info)
{
	*info = p->info;
}

int profile_symbol(const struct profile *p, const char *name, uint64_t *address)
{
	const struct symbol *symbol = symbols_find(&p->symbols, name);

	if (!symbol)
		return -ENOENT;
	*address = symbol->address;
	return 0;
}

int profile_offset(const struct profile *p, const char *structure,
		   const char *field, uint64_t *offset)
{
	return p->types ? types_offset(p->types, structure, field, offset) :
			  -ENODATA;
}

int profile_size(const struct profile *p, const char *structure, uint64_t *size)
{
	return p->types ? types_size(p->types, structure, size) : -ENODATA;
}

const char *profile_symbol_at(const struct profile *p, uint64_t address,
			      uint64_t *offset, uint64_t *next)
{
	const struct symbol *symbol = symbols_at(&p->symbols, address, next);

	if (!symbol)
		return NULL;
	*offset = address - symbol->address;
	return symbol->name;
}
