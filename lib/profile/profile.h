/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The profile of a guest's kernel: its symbols and types, from its file or from
 * the memory of a running guest, in the forms that other programs read.
 *
 * A profile is not for several threads at a time. It keeps nothing of what it
 * was made from: the file or the session may be closed. Since 0.1.
 */
#ifndef KVMI_PROFILE_H
#define KVMI_PROFILE_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include <kvmi/kvmi.h>

struct profile;

/* What there is to say of a profile. Texts live as long as it does. */
struct profile_info {
	const char *banner;	/* linux_banner without its newline; may be "" */
	size_t symbols;
	size_t types;		/* 0: the kernel has none that can be read */
	uint64_t text;		/* where _text was linked to, 0 if not known */
	bool is_running;	/* from a guest, which the rest is about */
	uint64_t kaslr;		/* bytes that it lies above @text */
	bool is_kaslr_guessed;	/* the guest does not tell @text */
	unsigned int levels;	/* of its page tables, 4 or 5 */
	uint64_t page_tables;	/* gpa of the highest one */
};

/*
 * Makes a profile of a kernel's file.
 * @profile:	receives it; profile_free() ends it
 * @path:	a bzImage (vmlinuz) or the ELF file in it (vmlinux)
 * Errors: -ENOEXEC: it is neither, for x86-64; -EOPNOTSUPP: packed by something
 * else than gzip, xz, lzma, zstd or lz4; -ENOENT: also if it has no symbols;
 * -EBADMSG: damaged; -ENOMEM; those of open(2) and mmap(2).
 */
int profile_from_file(struct profile **profile, const char *path);

/*
 * Makes a profile of the kernel that runs in a guest, which goes on meanwhile.
 * @profile:	receives it; profile_free() ends it
 * @vm:		the session; registers and memory must be allowed
 * Errors: -ENOENT: there is no Linux for x86-64, or it has no symbols; -EBADMSG:
 * they make no sense; -ENOMEM; those of kvmi_vcpu_get_registers() and
 * kvmi_vm_read_pages().
 */
int profile_from_vm(struct profile **profile, struct kvmi_vm *vm);

/*
 * Lets a signal end what takes long: while *@flag is not 0, each function here and
 * of lib/linux that reads a guest's memory returns -EINTR. For the whole process,
 * NULL: no more, as at the beginning. What has to be undone is not to be read so.
 */
void profile_stop_by(const volatile sig_atomic_t *flag);
/* Whether it does so now. */
bool profile_is_stopped(void);

/*
 * Writes the profile as profile_load() takes it back, on this machine.
 * Errors: -ENOMEM; what write(2) returns.
 */
int profile_save(const struct profile *profile, FILE *to);

/*
 * Takes back what profile_save() has written.
 * @profile:	receives it; profile_free() ends it
 * @bytes:	all of it, the caller's
 * @running:	what the kernel has that runs now: is_running, kaslr, levels,
 *		page_tables
 * Errors: -EBADMSG: it is damaged; -ENOMEM.
 */
int profile_load(struct profile **profile, const void *bytes, size_t size,
		 const struct profile_info *running);

/* Ends it; NULL is fine. */
void profile_free(struct profile *profile);

/*
 * Tells what the profile is of.
 * @info:	receives it
 */
void profile_get_info(const struct profile *profile, struct profile_info *info);

/*
 * Looks a symbol up, without KASLR. Of several the first global one counts.
 * @name:	as in System.map
 * @address:	receives it
 * Errors: -ENOENT.
 */
int profile_symbol(const struct profile *profile, const char *name,
		   uint64_t *address);

/*
 * Looks up where a field begins, in bytes.
 * @structure:	"task_struct"
 * @field:	"comm"; it may be in a part of the structure without a name
 * @offset:	receives it
 * Errors: -ENOENT: there is none; -ENODATA: there are no types.
 */
int profile_offset(const struct profile *profile, const char *structure,
		   const char *field, uint64_t *offset);

/*
 * Looks up how many bytes a structure or union takes.
 * @structure:	"task_struct"
 * @size:	receives it
 * Errors: -ENOENT: there is none; -ENODATA: there are no types.
 */
int profile_size(const struct profile *profile, const char *structure,
		 uint64_t *size);

/*
 * Finds the symbol that an address belongs to: the nearest at or below it that
 * moves with the kernel, of those at one address the first global one, not
 * for 32 bits if there is another.
 * @address:	without KASLR
 * @offset:	receives how far behind the symbol it lies
 * @next:	receives where the next one begins, UINT64_MAX behind the last one
 * Returns its name, which lives as long as the profile; NULL: it is below all.
 */
const char *profile_symbol_at(const struct profile *profile, uint64_t address,
			      uint64_t *offset, uint64_t *next);

/*
 * Writes a System.map.
 * @add:	to the addresses that move with the kernel: 0, or profile_info's
 *		kaslr for those of the running guest
 * Errors: what write(2) returns.
 */
int profile_write_map(const struct profile *profile, FILE *to, uint64_t add);

/*
 * Writes the symbols and types as JSON for Volatility 3 ("ISF") and libvmi,
 * without KASLR. The same kernel gives the same bytes.
 * Errors: -ENODATA: there are no types; -ENOMEM; what write(2) returns.
 */
int profile_write_isf(const struct profile *profile, FILE *to);

/*
 * Writes a stanza of libvmi.conf.
 * @name:	what the VM is called there
 * @map:	path of the System.map or, with is_isf, of the JSON
 * @is_isf:	what @map is
 * Errors: -ENODATA: there are no types, or not the fields that libvmi needs;
 * -EINVAL: a name or path that cannot be written there; what write(2) returns.
 */
int profile_write_conf(const struct profile *profile, FILE *to,
		       const char *name, const char *map, bool is_isf);

#endif
