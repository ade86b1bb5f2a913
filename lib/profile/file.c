// SPDX-License-Identifier: LGPL-2.1-or-later
/* A kernel from a file: the segments of a vmlinux, which may be packed. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "unpack.h"

#define SEGMENTS 64

struct elf {
	const uint8_t *bytes;
	size_t size;
	Elf64_Phdr segments[SEGMENTS];
	size_t count;
};

/* That of the variables of each processor is linked to 0. */
static bool is_kernel(const Elf64_Phdr *s)
{
	return s->p_type == PT_LOAD && s->p_vaddr >= KERNEL_WINDOW &&
	       s->p_vaddr < KERNEL_WINDOW + KERNEL_WINDOW_SIZE;
}

static int check_segment(const struct elf *elf, const Elf64_Phdr *s)
{
	if (s->p_offset > elf->size || s->p_filesz > elf->size - s->p_offset ||
	    s->p_memsz < s->p_filesz ||
	    s->p_memsz > KERNEL_WINDOW + KERNEL_WINDOW_SIZE - s->p_vaddr)
		return -EBADMSG;
	return 0;
}

static int read_segments(struct elf *elf)
{
	Elf64_Ehdr head;
	Elf64_Phdr s;
	size_t i;

	if (elf->size < sizeof(head))
		return -ENOEXEC;
	memcpy(&head, elf->bytes, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_machine != EM_X86_64 || head.e_phentsize != sizeof(s))
		return -ENOEXEC;
	if (head.e_phnum > SEGMENTS || head.e_phoff > elf->size ||
	    head.e_phnum * sizeof(s) > elf->size - head.e_phoff)
		return -EBADMSG;
	for (i = 0; i < head.e_phnum; i++) {
		memcpy(&s, elf->bytes + head.e_phoff + i * sizeof(s), sizeof(s));
		if (!is_kernel(&s))
			continue;
		if (check_segment(elf, &s))
			return -EBADMSG;
		elf->segments[elf->count++] = s;
	}
	return elf->count ? 0 : -ENOEXEC;
}

static int load(struct image *image, const struct elf *elf)
{
	const Elf64_Phdr *s;
	int err = 0;
	size_t i;

	for (i = 0; i < elf->count && !err; i++) {
		s = &elf->segments[i];
		memcpy(image->bytes + (s->p_vaddr - image->start),
		       elf->bytes + s->p_offset, s->p_filesz);
		err = image_add_span(image, s->p_vaddr,
				     s->p_vaddr + s->p_filesz);
	}
	return err;
}

int image_from_elf(struct image *image, const uint8_t *file, size_t size)
{
	struct elf elf = { .bytes = file, .size = size };
	uint64_t start = UINT64_MAX, end = 0, to;
	int err = read_segments(&elf);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < elf.count; i++) {
		to = elf.segments[i].p_vaddr + elf.segments[i].p_memsz;
		start = elf.segments[i].p_vaddr < start ?
			elf.segments[i].p_vaddr : start;
		end = to > end ? to : end;
	}
	err = image_init(image, start, end);
	if (err)
		return err;
	err = load(image, &elf);
	if (err)
		image_exit(image);
	return err;
}

static int from_bytes(struct image *image, const uint8_t *file, size_t size)
{
	uint8_t *kernel;
	int err;

	err = image_from_elf(image, file, size);
	if (err != -ENOEXEC)
		return err;
	err = unpack_kernel(file, size, &kernel, &size);
	if (err)
		return err;
	err = image_from_elf(image, kernel, size);
	free(kernel);
	return err;
}

static int from_fd(struct image *image, int fd)
{
	struct stat st;
	void *file;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return -ENOEXEC;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		return -errno;
	err = from_bytes(image, file, (size_t)st.st_size);
	munmap(file, (size_t)st.st_size);
	return err;
}

int image_from_file(struct image *image, const char *path)
{
	int err, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	err = from_fd(image, fd);
	close(fd);
	return err;
}
