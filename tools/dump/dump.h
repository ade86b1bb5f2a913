/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of kvmi dump. */
#ifndef KVMI_TOOL_DUMP_H
#define KVMI_TOOL_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kvmi/kvmi.h>

#define DUMP_PAGE	4096ul
/* What is read and written at once. */
#define DUMP_CHUNK	(256 * DUMP_PAGE)

/* Guest physical memory, multiples of a page. */
struct span {
	uint64_t gpa, size;
};

/* ram.c: where there is memory. */
struct ram {
	struct span *spans;	/* in order, apart from each other */
	size_t count;
	uint64_t size;
};

/*
 * Looks where memory is: in the areas that the device manager tells, or up to
 * the highest memory if it tells none or @is_thorough. Errors: -EINTR: a signal
 * came; -ENOMEM; those of kvmi_vm_readv_physical().
 */
int ram_find(struct ram *ram, struct kvmi_vm *vm, bool is_thorough);
void ram_free(struct ram *ram);

/* hold.c: vCPUs that stand still. */
struct hold {
	struct kvmi_vm *vm;
	struct kvmi_event **events;	/* one a vCPU; NULL: it has not started */
	unsigned int vcpus;
	bool is_unhooking;		/* the device manager wants the VM */
};

/* Pauses all vCPUs that have started. Complains. hold_end() also after errors. */
int hold_begin(struct hold *hold, struct kvmi_vm *vm);
/* Takes what else the VM says. Returns 0, or -ECANCELED: it is wanted back. */
int hold_check(struct hold *hold);
/* Lets them go on. */
int hold_end(struct hold *hold);

/* reader.c: memory, a chunk after the other, with the next ones under way. */
struct reader {
	struct kvmi_vm *vm;
	const struct ram *ram;
	struct span ask, take;		/* what is left of the current spans */
	size_t ask_next, take_next;	/* the spans after them */
	unsigned int under_way;		/* pages */
	bool is_shared;
	uint8_t *chunk;
};

int reader_begin(struct reader *reader, struct kvmi_vm *vm,
		 const struct ram *ram, bool is_shared);
/*
 * @data:	receives where the next bytes are, until the next call
 * Returns how many, at most DUMP_CHUNK; 0 at the end. What is no memory after
 * all is zeros. Errors: those of commands.
 */
ssize_t reader_next(struct reader *reader, const uint8_t **data);
/* Takes what is still under way. */
void reader_end(struct reader *reader);

/* sink.c: a file with holes, or a stream. */
struct sink {
	const char *path;
	char *draft;		/* what it is called until it is complete */
	int fd;
	uint64_t at;
};

/* "-" is standard output. Complains. */
int sink_open(struct sink *sink, const char *path);
/* Returns 0 or what write(2) does; -EINTR only when a signal shall end all. */
int sink_write(struct sink *sink, const void *data, size_t size);
/* Gives the file its name if it is complete, else removes it. Complains. */
int sink_close(struct sink *sink, bool is_complete);

/* dump-kernel.c: what is to be said about the guest's kernel. */
#define IMAGE_PARTS	4

struct dump_kernel {
	char *vmcoreinfo;	/* NULL: none */
	size_t vmcoreinfo_size;
	struct span image[IMAGE_PARTS];	/* of which it is, in order */
	size_t image_parts;
	uint64_t image_offset;	/* from the gpa to the gva in it */
	uint64_t direct;	/* of gpa 0 in its direct map, 0: not known */
};

/* Errors: those of linux_open(); what could not be found is complained of. */
int dump_kernel_find(struct dump_kernel *kernel, struct kvmi_vm *vm);
void dump_kernel_free(struct dump_kernel *kernel);

/* core.c, core-notes.c: what is in front of the memory. */
struct core {
	uint8_t *head;		/* ELF header, program headers, notes */
	size_t size;		/* a multiple of a page */
};

struct notes {
	char *bytes;
	size_t size;
};

/* Registers of @vcpus vCPUs, and the kernel's VMCOREINFO. Complains. */
int notes_make(struct notes *notes, struct kvmi_vm *vm, unsigned int vcpus,
	       const struct dump_kernel *kernel);
/* Errors: -ENOMEM, -E2BIG: more spans than an ELF file can tell of. */
int core_make(struct core *core, const struct ram *ram,
	      const struct notes *notes, const struct dump_kernel *kernel);

#endif
