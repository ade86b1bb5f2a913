/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The types that a kernel describes in its BTF, as libbpf reads them. */
#ifndef KVMI_PROFILE_TYPES_H
#define KVMI_PROFILE_TYPES_H

#include <bpf/btf.h>

#include "kallsyms.h"

/* Deeper than this there is no type of C, but there may be a loop. */
#define TYPE_DEPTH 32
/* Fields that one search looks at. The kernels have 100,000 in all. */
#define TYPE_BUDGET (1ul << 22)

/*
 * Reads the types, which lie between two symbols. @slide is what the symbols'
 * addresses lack to those of the image. The result is given back with
 * btf__free(). libbpf has checked little of it: a guest can have numbers of
 * types that are not there, and structures in themselves.
 *
 * Returns 0; -ENODATA: the kernel has no BTF, or it cannot be read; -EBADMSG:
 * libbpf does not take it; -ENOMEM.
 */
int types_read(struct image *image, const struct symbols *symbols,
	       uint64_t slide, struct btf **types);

/* The same of bytes that are at hand. */
int types_take(const void *bytes, size_t size, struct btf **types);

/*
 * Where a field begins in a structure, also one of a structure or union without
 * a name in it. Returns 0 or -ENOENT.
 */
int types_offset(const struct btf *types, const char *structure,
		 const char *field, uint64_t *offset);

/* The bytes of a structure or union. Returns 0 or -ENOENT. */
int types_size(const struct btf *types, const char *structure, uint64_t *size);

/* A name, empty where there is none. */
const char *types_name(const struct btf *types, uint32_t at);
/* The type behind typedefs, const and so on; 0 is void. */
uint32_t types_resolve(const struct btf *types, uint32_t id);
/* The structure or union @id resolves to, or NULL. */
const struct btf_type *types_composite(const struct btf *types, uint32_t id);

#endif
