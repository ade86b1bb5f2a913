/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel from a file. */
#ifndef KVMI_PROFILE_FILE_H
#define KVMI_PROFILE_FILE_H

#include "image.h"

/*
 * Takes a vmlinux. Returns 0; -ENOEXEC: no ELF file of x86-64 with segments in
 * the kernel's window; -EBADMSG: damaged; -ENOMEM.
 */
int image_from_elf(struct image *image, const uint8_t *file, size_t size);
/*
 * The same of a file in the file system, packed as a vmlinuz or not. Returns
 * those, those of unpack_kernel(), and what open(2) and read(2) say.
 */
int image_from_file(struct image *image, const char *path);

#endif
