// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The structures, unions and enums of an ISF file. Fields of a part without a
 * name are those of the whole, as in C: not every program that reads such files
 * looks into parts.
 */
#include <stdlib.h>

#include "isf.h"

/* A bit field lies in a unit of its type, if it does not cross its end. */
static struct json_object *bit_field(const struct isf *isf, uint32_t type,
				     uint64_t bit, unsigned int bits,
				     uint64_t *offset)
{
	struct json_object *o = json_object_new_object();
	int64_t size = btf__resolve_size(isf->profile->types, type);

	if (size > 0 && bit % (8 * size) + bits <= 8 * (uint64_t)size)
		*offset = bit / (8 * size) * size;
	json_object_object_add(o, "kind", json_object_new_string("bitfield"));
	json_object_object_add(o, "bit_position",
			       json_object_new_int64((int64_t)(bit - 8 * *offset)));
	json_object_object_add(o, "bit_length", json_object_new_int64(bits));
	json_object_object_add(o, "type", isf_type(isf, type, TYPE_DEPTH));
	return o;
}

static void add_field(const struct isf *isf, const struct btf_type *t,
		      uint32_t i, uint64_t base, struct json_object *fields)
{
	const struct btf_member *m = btf_members(t) + i;
	unsigned int bits = btf_member_bitfield_size(t, i);
	uint64_t bit = base * 8 + btf_member_bit_offset(t, i);
	struct json_object *o = json_object_new_object();
	uint64_t offset = bit / 8;

	json_object_object_add(o, "type", bits ?
			       bit_field(isf, m->type, bit, bits, &offset) :
			       isf_type(isf, m->type, TYPE_DEPTH));
	json_object_object_add(o, "offset",
			       json_object_new_int64((int64_t)offset));
	json_object_object_add(fields,
			       types_name(isf->profile->types, m->name_off), o);
}

static void add_fields(struct isf *isf, const struct btf_type *t,
		       uint64_t base, int depth, struct json_object *fields)
{
	const struct btf *types = isf->profile->types;
	const struct btf_type *inner;
	const char *name;
	uint32_t i;

	for (i = 0; i < btf_vlen(t) && isf->budget; i++) {
		isf->budget--;
		name = types_name(types, btf_members(t)[i].name_off);
		inner = types_composite(types, btf_members(t)[i].type);
		if (*name)
			add_field(isf, t, i, base, fields);
		else if (inner && depth)
			add_fields(isf, inner, base +
				   btf_member_bit_offset(t, i) / 8, depth - 1,
				   fields);
	}
}

void isf_write_user_types(struct isf *isf)
{
	struct json_object *o, *fields;
	const struct btf_type *t;
	uint32_t id;

	isf_begin(isf, "user_types");
	for (id = 1; id < isf->count; id++) {
		t = btf__type_by_id(isf->profile->types, id);
		if (!btf_is_composite(t))
			continue;
		o = json_object_new_object();
		fields = json_object_new_object();
		add_fields(isf, t, 0, TYPE_DEPTH, fields);
		json_object_object_add(o, "size",
				       json_object_new_int64(t->size));
		json_object_object_add(o, "kind",
				       json_object_new_string(btf_is_union(t) ?
							      "union" : "struct"));
		json_object_object_add(o, "fields", fields);
		isf_add(isf, isf->names[id], o);
	}
	isf_end(isf, false);
}

static struct json_object *constants_of(const struct isf *isf,
					const struct btf_type *t)
{
	struct json_object *o = json_object_new_object();
	const struct btf *types = isf->profile->types;
	bool is_wide = btf_is_enum64(t);
	uint32_t i, name;
	int64_t value;

	for (i = 0; i < btf_vlen(t); i++) {
		name = is_wide ? btf_enum64(t)[i].name_off :
				 btf_enum(t)[i].name_off;
		value = is_wide ? (int64_t)btf_enum64_value(btf_enum64(t) + i) :
			btf_kflag(t) ? btf_enum(t)[i].val :
				       (int64_t)(uint32_t)btf_enum(t)[i].val;
		/* Before Linux 6.0 nothing tells if an enum is signed. */
		if (!is_wide && !btf_kflag(t) && btf_enum(t)[i].val < 0)
			value = btf_enum(t)[i].val;
		json_object_object_add(o, types_name(types, name),
				       json_object_new_int64(value));
	}
	return o;
}

/* Each kernel has these types. */
static const char *enum_base(const struct btf_type *t)
{
	bool is_signed = btf_kflag(t);

	switch (t->size) {
	case 1:
		return is_signed ? "signed char" : "unsigned char";
	case 2:
		return is_signed ? "short int" : "short unsigned int";
	case 8:
		return is_signed ? "long int" : "long unsigned int";
	default:
		return is_signed ? "int" : "unsigned int";
	}
}

void isf_write_enums(struct isf *isf)
{
	const struct btf_type *t;
	struct json_object *o;
	uint32_t id;

	isf_begin(isf, "enums");
	for (id = 1; id < isf->count; id++) {
		t = btf__type_by_id(isf->profile->types, id);
		if (!btf_is_any_enum(t))
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "size",
				       json_object_new_int64(t->size));
		json_object_object_add(o, "base",
				       json_object_new_string(enum_base(t)));
		json_object_object_add(o, "constants", constants_of(isf, t));
		isf_add(isf, isf->names[id], o);
	}
	isf_end(isf, false);
}
