// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What programs that read the core of a Linux want to know: the note that the
 * kernel has made for its own crash, which tells KASLR and where it lies, and
 * where it maps itself and all memory.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <linux-guest.h>

#include "dump.h"
#include "kvmi.h"
#include "linux.h"

#define NOTE_NAME	"VMCOREINFO"
#define NOTE_MAX	(16 * DUMP_PAGE)
#define DIRECT_MAP	0xffff888000000000ull

static int read_pointer(struct linux_guest *guest, const char *name,
			uint64_t *value)
{
	uint64_t gva;
	int err = linux_symbol(guest, name, &gva);

	return err ? err : linux_read(guest, gva, value, sizeof(*value));
}

/* The text of a note at @gva. */
static int read_note(struct linux_guest *guest, uint64_t gva,
		     struct dump_kernel *kernel)
{
	struct {
		Elf64_Nhdr head;
		char name[(sizeof(NOTE_NAME) + 3) & ~3];
	} note;
	int err = linux_read(guest, gva, &note, sizeof(note));

	if (err)
		return err;
	if (note.head.n_namesz != sizeof(NOTE_NAME) || !note.head.n_descsz ||
	    note.head.n_descsz > NOTE_MAX ||
	    memcmp(note.name, NOTE_NAME, sizeof(NOTE_NAME)))
		return -EBADMSG;
	kernel->vmcoreinfo = malloc(note.head.n_descsz);
	if (!kernel->vmcoreinfo)
		return -ENOMEM;
	kernel->vmcoreinfo_size = note.head.n_descsz;
	return linux_read(guest, gva + sizeof(note), kernel->vmcoreinfo,
			  kernel->vmcoreinfo_size);
}

/* A note of a kernel that lies elsewhere would lead others astray. */
static int check_note(struct linux_guest *guest,
		      const struct dump_kernel *kernel)
{
	const char offset[] = "\nKERNELOFFSET=";
	const char *at = memmem(kernel->vmcoreinfo, kernel->vmcoreinfo_size,
				offset, sizeof(offset) - 1);
	const char *end = kernel->vmcoreinfo + kernel->vmcoreinfo_size;
	char number[20];

	if (!at)
		return 0;
	at += sizeof(offset) - 1;
	printable(number, sizeof(number), at, (size_t)(end - at));
	return strtoull(number, NULL, 16) == linux_get_kaslr(guest) ? 0 :
								      -EBADMSG;
}

static int find_note(struct linux_guest *guest, struct dump_kernel *kernel)
{
	uint64_t gva;
	int err;

	err = read_pointer(guest, "vmcoreinfo_note", &gva);
	if (!err)
		err = read_note(guest, gva, kernel);
	if (!err)
		err = check_note(guest, kernel);
	if (!err)
		return 0;
	free(kernel->vmcoreinfo);
	kernel->vmcoreinfo = NULL;
	complain(err, "the guest's kernel has no VMCOREINFO that can be read; crash and makedumpfile need it");
	return err == -ENOMEM || err == -ECONNRESET ? err : 0;
}

/* What the kernel gives away once it has booted, and maps nowhere as its image. */
static const struct {
	const char *begin, *end;
} gaps[IMAGE_PARTS - 1] = {
	{ "_etext", "__start_rodata" },
	{ "__end_rodata", "_sdata" },
	{ "__init_begin", "__init_end" },
};

static uint64_t round_up(uint64_t gva)
{
	return (gva + DUMP_PAGE - 1) & ~(DUMP_PAGE - 1);
}

static void add_part(struct dump_kernel *kernel, uint64_t from, uint64_t end)
{
	if (from < end)
		kernel->image[kernel->image_parts++] = (struct span){
			from - kernel->image_offset, end - from,
		};
}

static int find_image(struct linux_guest *guest, struct dump_kernel *kernel)
{
	uint64_t from, end, gpa, gap, gap_end;
	size_t i;
	int err;

	err = linux_symbol(guest, "_text", &from);
	if (!err)
		err = linux_symbol(guest, "__bss_stop", &end);
	if (!err)
		err = linux_translate(guest, from, &gpa);
	if (err)
		return err;
	kernel->image_offset = from - gpa;
	for (i = 0; i < IMAGE_PARTS - 1; i++) {
		if (linux_symbol(guest, gaps[i].begin, &gap) ||
		    linux_symbol(guest, gaps[i].end, &gap_end) ||
		    gap < from || gap_end < gap || gap_end > end)
			continue;
		add_part(kernel, from, round_up(gap));
		from = gap_end & ~(DUMP_PAGE - 1);
	}
	add_part(kernel, from, round_up(end));
	return 0;
}

/* Its base is a variable where it can move; the kernel's image proves it. */
static void find_direct(struct linux_guest *guest, struct dump_kernel *kernel)
{
	uint64_t base = DIRECT_MAP, image = kernel->image[0].gpa, gpa;

	read_pointer(guest, "page_offset_base", &base);
	if (!linux_translate(guest, base + image, &gpa) && gpa == image)
		kernel->direct = base;
}

int dump_kernel_find(struct dump_kernel *kernel, struct kvmi_vm *vm)
{
	struct linux_guest *guest;
	int err;

	*kernel = (struct dump_kernel){ 0 };
	err = guest_find_linux(&guest, vm);
	if (err)
		return err;
	err = find_note(guest, kernel);
	if (!err && !find_image(guest, kernel) && kernel->image_parts)
		find_direct(guest, kernel);
	linux_close(guest);
	return err;
}

void dump_kernel_free(struct dump_kernel *kernel)
{
	free(kernel->vmcoreinfo);
}
