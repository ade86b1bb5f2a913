// SPDX-License-Identifier: LGPL-2.1-or-later
/* The types that a kernel describes in its BTF. */
#include <errno.h>

#include <bpf/libbpf.h>

#include "types.h"

#define TYPES_MAX (64ul << 20)

/* As it is called since Linux 5.7, and before. */
static bool find_bounds(const struct symbols *symbols, uint64_t *start,
			uint64_t *stop)
{
	static const char *const names[][2] = {
		{ "__start_BTF", "__stop_BTF" },
		{ "_binary__btf_vmlinux_bin_start",
		  "_binary__btf_vmlinux_bin_end" },
	};
	const struct symbol *first, *last;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		first = symbols_find(symbols, names[i][0]);
		last = symbols_find(symbols, names[i][1]);
		if (!first || !last || last->address <= first->address)
			continue;
		*start = first->address;
		*stop = last->address;
		return true;
	}
	return false;
}

int types_take(const void *bytes, size_t size, struct btf **types)
{
	/* The caller tells; it would write to the terminal. */
	libbpf_set_print(NULL);
	*types = btf__new(bytes, (uint32_t)size);
	if (*types)
		return 0;
	return errno == ENOMEM ? -ENOMEM : -EBADMSG;
}

int types_read(struct image *image, const struct symbols *symbols,
	       uint64_t slide, struct btf **types)
{
	uint64_t start, stop, size;
	const uint8_t *bytes;

	if (!find_bounds(symbols, &start, &stop))
		return -ENODATA;
	size = stop - start;
	bytes = size <= TYPES_MAX ? image_at(image, start + slide, size) : NULL;
	if (!bytes)
		return -ENODATA;
	return types_take(bytes, size, types);
}

const char *types_name(const struct btf *types, uint32_t at)
{
	const char *name = btf__name_by_offset(types, at);

	return name ? name : "";
}

static bool is_wrapper(const struct btf_type *t)
{
	return btf_is_mod(t) || btf_is_typedef(t) || btf_is_type_tag(t);
}

uint32_t types_resolve(const struct btf *types, uint32_t id)
{
	const struct btf_type *t;
	int depth;

	for (depth = 0; depth < TYPE_DEPTH; depth++) {
		t = btf__type_by_id(types, id);
		if (!t)
			return 0;
		if (!is_wrapper(t))
			return id;
		id = t->type;
	}
	return 0;
}

const struct btf_type *types_composite(const struct btf *types, uint32_t id)
{
	const struct btf_type *t;

	t = btf__type_by_id(types, types_resolve(types, id));
	return t && btf_is_composite(t) ? t : NULL;
}

struct search {
	const struct btf *types;
	const char *field;
	size_t budget;
	uint64_t offset;
};

static bool find_field(struct search *s, const struct btf_type *t,
		       uint64_t base, int depth)
{
	const struct btf_type *inner;
	const char *name;
	uint64_t at;
	uint32_t i;

	for (i = 0; i < btf_vlen(t) && s->budget; i++) {
		s->budget--;
		name = types_name(s->types, btf_members(t)[i].name_off);
		at = base + btf_member_bit_offset(t, i) / 8;
		if (!strcmp(name, s->field)) {
			s->offset = at;
			return true;
		}
		if (*name || !depth)
			continue;
		inner = types_composite(s->types, btf_members(t)[i].type);
		if (inner && find_field(s, inner, at, depth - 1))
			return true;
	}
	return false;
}

int types_offset(const struct btf *types, const char *structure,
		 const char *field, uint64_t *offset)
{
	int id = btf__find_by_name_kind(types, structure, BTF_KIND_STRUCT);
	struct search s = {
		.types = types, .field = field, .budget = TYPE_BUDGET,
	};

	if (id < 0 || !find_field(&s, btf__type_by_id(types, (uint32_t)id), 0,
				  TYPE_DEPTH))
		return -ENOENT;
	*offset = s.offset;
	return 0;
}

int types_size(const struct btf *types, const char *structure, uint64_t *size)
{
	int id = btf__find_by_name_kind(types, structure, BTF_KIND_STRUCT);

	if (id < 0)
		id = btf__find_by_name_kind(types, structure, BTF_KIND_UNION);
	if (id < 0)
		return -ENOENT;
	*size = btf__type_by_id(types, (uint32_t)id)->size;
	return 0;
}
