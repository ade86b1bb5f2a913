// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ELF file for gdb's "file": the kernel's symbols at the addresses that it
 * runs at, its sections without their bytes, which gdb reads from the guest,
 * and how to unwind its stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libelf.h>
#include <stdlib.h>
#include <unistd.h>

#include <profile.h>

#include "gdb.h"
#include "orc.h"

enum { TEXT = 1, DATA, INIT, BSS, SYMTAB, STRTAB, FRAMES, NAMES, SECTIONS };

static const char section_names[] =
	"\0.text\0.data\0.init.text\0.bss\0.symtab\0.strtab\0.debug_frame\0.shstrtab";

/* From one symbol to the next; gdb tells code from data by them. */
static const struct {
	const char *name, *from, *to;
	uint64_t flags;
} parts[] = {
	[TEXT] = { ".text", "_stext", "_etext", SHF_ALLOC | SHF_EXECINSTR },
	[DATA] = { ".data", "_etext", "_sinittext", SHF_ALLOC | SHF_WRITE },
	[INIT] = { ".init.text", "_sinittext", "_einittext",
		   SHF_ALLOC | SHF_EXECINSTR },
	[BSS] = { ".bss", "_einittext", "_end", SHF_ALLOC | SHF_WRITE },
};

struct out {
	Elf *elf;
	uint64_t from[SYMTAB], to[SYMTAB];
	Elf64_Sym *symbols;
	size_t count, locals;
	char *strings;
	size_t strings_size;
};

static void find_parts(struct out *out, const struct profile *profile,
		       uint64_t kaslr)
{
	int i;

	for (i = TEXT; i < SYMTAB; i++) {
		if (profile_symbol(profile, parts[i].from, &out->from[i]) ||
		    profile_symbol(profile, parts[i].to, &out->to[i]) ||
		    out->to[i] < out->from[i])
			continue;
		out->from[i] += kaslr;
		out->to[i] += kaslr;
	}
}

static uint16_t section_of(const struct out *out, uint64_t address)
{
	uint16_t i;

	for (i = TEXT; i < SYMTAB; i++)
		if (address >= out->from[i] && address < out->to[i])
			return i;
	return SHN_ABS;
}

/* What the symbols look like in a line of a System.map. */
static bool read_line(char *line, uint64_t *address, char *type, char **name)
{
	*address = strtoull(line, &line, 16);
	if (line[0] != ' ' || !line[1] || line[2] != ' ')
		return false;
	*type = line[1];
	*name = line + 3;
	return true;
}

/* Local symbols come first in such a table. */
static void add_lines(struct out *out, char *text, bool is_local)
{
	char *line, *end, *name, type;
	Elf64_Sym *symbol;
	uint64_t address;

	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		if (!read_line(line, &address, &type, &name) ||
		    (type >= 'a') != is_local)
			continue;
		symbol = &out->symbols[out->count++];
		symbol->st_name = (Elf64_Word)out->strings_size;
		symbol->st_value = address;
		symbol->st_shndx = section_of(out, address);
		symbol->st_info = ELF64_ST_INFO(is_local ? STB_LOCAL :
						STB_GLOBAL,
						strchr("TtWw", type) ?
						STT_FUNC : STT_OBJECT);
		memcpy(out->strings + out->strings_size, name,
		       (size_t)(end - name));
		out->strings_size += (size_t)(end - name);
		out->strings[out->strings_size++] = '\0';
	}
}

static int read_symbols(struct out *out, const struct profile *profile,
			uint64_t kaslr)
{
	struct profile_info info;
	char *text = NULL;
	size_t size;
	FILE *map = open_memstream(&text, &size);
	int err;

	if (!map)
		return -ENOMEM;
	profile_get_info(profile, &info);
	err = profile_write_map(profile, map, kaslr);
	if (fclose(map) && !err)
		err = -ENOMEM;
	out->symbols = calloc(info.symbols + 1, sizeof(*out->symbols));
	out->strings = malloc(size + 1);
	if (!err && (!out->symbols || !out->strings))
		err = -ENOMEM;
	if (!err) {
		/* The first one has no name. */
		out->strings[0] = '\0';
		out->strings_size = 1;
		out->count = 1;
		add_lines(out, text, true);
		out->locals = out->count;
		add_lines(out, text, false);
	}
	free(text);
	return err;
}

static void set_name(Elf64_Shdr *header, const char *name)
{
	const char *at = section_names + 1;

	while (strcmp(at, name))
		at += strlen(at) + 1;
	header->sh_name = (Elf64_Word)(at - section_names);
}

/* Returns the header of a new section with these bytes, or NULL. */
static Elf64_Shdr *add_section(struct out *out, const char *name,
			       uint32_t type, void *bytes, size_t size)
{
	Elf_Scn *section = elf_newscn(out->elf);
	Elf_Data *data = section ? elf_newdata(section) : NULL;
	Elf64_Shdr *header = section ? elf64_getshdr(section) : NULL;

	if (!data || !header)
		return NULL;
	data->d_buf = bytes;
	data->d_size = size;
	data->d_type = type == SHT_SYMTAB ? ELF_T_SYM : ELF_T_BYTE;
	data->d_align = type == SHT_SYMTAB ? 8 : 1;
	set_name(header, name);
	header->sh_type = type;
	header->sh_entsize = type == SHT_SYMTAB ? sizeof(Elf64_Sym) : 0;
	return header;
}

static int add_parts(struct out *out)
{
	Elf64_Shdr *header;
	int i;

	for (i = TEXT; i < SYMTAB; i++) {
		header = add_section(out, parts[i].name, SHT_NOBITS, NULL,
				     out->to[i] - out->from[i]);
		if (!header)
			return -EIO;
		header->sh_addr = out->from[i];
		header->sh_flags = parts[i].flags;
	}
	return 0;
}

static int add_tables(struct out *out, struct orc_frames *frames)
{
	Elf64_Shdr *header;

	header = add_section(out, ".symtab", SHT_SYMTAB, out->symbols,
			     out->count * sizeof(*out->symbols));
	if (!header)
		return -EIO;
	header->sh_link = STRTAB;
	header->sh_info = (Elf64_Word)out->locals;
	if (!add_section(out, ".strtab", SHT_STRTAB, out->strings,
			 out->strings_size) ||
	    !add_section(out, ".debug_frame", SHT_PROGBITS, frames->bytes,
			 frames->size) ||
	    !add_section(out, ".shstrtab", SHT_STRTAB, (void *)section_names,
			 sizeof(section_names)))
		return -EIO;
	return 0;
}

static int write_elf(struct out *out, struct orc_frames *frames, int fd)
{
	Elf64_Ehdr *header;
	int err;

	elf_version(EV_CURRENT);
	out->elf = elf_begin(fd, ELF_C_WRITE, NULL);
	header = out->elf ? elf64_newehdr(out->elf) : NULL;
	err = header ? 0 : -EIO;
	if (!err) {
		header->e_ident[EI_DATA] = ELFDATA2LSB;
		header->e_machine = EM_X86_64;
		header->e_type = ET_EXEC;
		header->e_version = EV_CURRENT;
		header->e_shstrndx = NAMES;
		err = add_parts(out);
	}
	if (!err)
		err = add_tables(out, frames);
	if (!err && elf_update(out->elf, ELF_C_WRITE) < 0)
		err = -EIO;
	elf_end(out->elf);
	return err;
}

/* In one step: a gdb that is quick shall not find half of it. */
static int write_file(struct out *out, struct orc_frames *frames,
		      const char *path)
{
	char *early;
	int fd, err;

	if (asprintf(&early, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(early);
	err = fd < 0 ? -errno : write_elf(out, frames, fd);
	if (fd >= 0)
		close(fd);
	if (!err && rename(early, path))
		err = -errno;
	if (err && fd >= 0)
		unlink(early);
	free(early);
	return err;
}

int gdb_write_symbols(struct gdb *g, const char *path)
{
	struct orc_frames frames = { 0 };
	struct out out = { 0 };
	struct profile_info info;
	int err;

	profile_get_info(g->profile, &info);
	find_parts(&out, g->profile, info.kaslr);
	err = read_symbols(&out, g->profile, info.kaslr);
	if (!err)
		orc_read(g, info.kaslr, &frames);
	if (!err)
		err = write_file(&out, &frames, path);
	if (err)
		complain(err, "cannot write %s", path);
	free(frames.bytes);
	free(out.symbols);
	free(out.strings);
	return err;
}
