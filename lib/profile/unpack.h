/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel as its boot loader gets it, and what is packed in it. */
#ifndef KVMI_PROFILE_UNPACK_H
#define KVMI_PROFILE_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks a bzImage into @out, which the caller frees. Returns 0; -ENOEXEC: it
 * is none; -EOPNOTSUPP: packed by something else than gzip, xz, lzma, zstd and
 * lz4; -EBADMSG: damaged; -ENOMEM.
 */
int unpack_kernel(const uint8_t *file, size_t size, uint8_t **out,
		  size_t *out_size);

#endif
