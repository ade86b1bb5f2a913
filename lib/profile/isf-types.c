// SPDX-License-Identifier: LGPL-2.1-or-later
/* The types of an ISF file. Types of C without a name get one by their number. */
#include <errno.h>
#include <stdlib.h>

#include "isf.h"

static struct json_object *kind_of(const char *kind)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "kind", json_object_new_string(kind));
	return o;
}

static struct json_object *named(const char *kind, const char *name)
{
	struct json_object *o = kind_of(kind);

	json_object_object_add(o, "name", json_object_new_string(name));
	return o;
}

static const char *name_of(const struct isf *isf, const struct btf_type *t)
{
	return types_name(isf->profile->types, t->name_off);
}

static bool is_enum(const struct btf_type *t)
{
	return btf_is_any_enum(t);
}

/* The same name may stand for several; the first one has it for itself. */
static char *make_name(struct json_object *seen, const char *name, uint32_t id)
{
	char *made = NULL;

	if (!*name)
		return asprintf(&made, "unnamed_%u", id) < 0 ? NULL : made;
	if (json_object_object_get_ex(seen, name, NULL))
		return asprintf(&made, "%s__%u", name, id) < 0 ? NULL : made;
	json_object_object_add(seen, name, NULL);
	return strdup(name);
}

/* A type that is declared and nowhere described keeps no name. */
static int name_declared(struct isf *isf, struct json_object *types)
{
	const struct btf_type *t;
	uint32_t id;

	for (id = 1; id < isf->count; id++) {
		t = btf__type_by_id(isf->profile->types, id);
		if (!btf_is_fwd(t) ||
		    !json_object_object_get_ex(types, name_of(isf, t), NULL))
			continue;
		isf->names[id] = strdup(name_of(isf, t));
		if (!isf->names[id])
			return -ENOMEM;
	}
	return 0;
}

int isf_name_types(struct isf *isf)
{
	struct json_object *types = json_object_new_object();
	struct json_object *enums = json_object_new_object();
	const struct btf_type *t;
	uint32_t id;
	int err = 0;

	isf->count = btf__type_cnt(isf->profile->types);
	isf->names = calloc(isf->count, sizeof(*isf->names));
	if (!isf->names)
		err = -ENOMEM;
	for (id = 1; id < isf->count && !err; id++) {
		t = btf__type_by_id(isf->profile->types, id);
		if (!btf_is_composite(t) && !is_enum(t))
			continue;
		isf->names[id] = make_name(is_enum(t) ? enums : types,
					   name_of(isf, t), id);
		if (!isf->names[id])
			err = -ENOMEM;
	}
	if (!err)
		err = name_declared(isf, types);
	json_object_put(types);
	json_object_put(enums);
	return err;
}

void isf_free_names(struct isf *isf)
{
	uint32_t id;

	for (id = 0; isf->names && id < isf->count; id++)
		free(isf->names[id]);
	free(isf->names);
}

static struct json_object *array_type(const struct isf *isf,
				      const struct btf_type *t, int depth)
{
	struct json_object *o = kind_of("array");

	json_object_object_add(o, "count",
			       json_object_new_int64(btf_array(t)->nelems));
	json_object_object_add(o, "subtype",
			       isf_type(isf, btf_array(t)->type, depth - 1));
	return o;
}

static struct json_object *pointer_type(const struct isf *isf,
					const struct btf_type *t, int depth)
{
	struct json_object *o = kind_of("pointer");

	json_object_object_add(o, "subtype",
			       isf_type(isf, t->type, depth - 1));
	return o;
}

struct json_object *isf_type(const struct isf *isf, uint32_t id, int depth)
{
	const struct btf_type *t;

	id = types_resolve(isf->profile->types, id);
	t = id && depth ? btf__type_by_id(isf->profile->types, id) : NULL;
	if (!t)
		return named("base", "void");
	if (btf_is_int(t) || btf_is_float(t))
		return named("base", name_of(isf, t));
	if (btf_is_ptr(t))
		return pointer_type(isf, t, depth);
	if (btf_is_array(t))
		return array_type(isf, t, depth);
	if (btf_is_composite(t))
		return named(btf_is_union(t) ? "union" : "struct",
			     isf->names[id]);
	if (is_enum(t))
		return named("enum", isf->names[id]);
	if (btf_is_fwd(t) && isf->names[id])
		return named(btf_kflag(t) ? "union" : "struct",
			     isf->names[id]);
	if (btf_is_func_proto(t) || btf_is_func(t))
		return kind_of("function");
	return named("base", "void");
}

static struct json_object *base_type(const char *kind, unsigned int size,
				     bool is_signed)
{
	struct json_object *o = kind_of(kind);

	json_object_object_add(o, "size", json_object_new_int64(size));
	json_object_object_add(o, "signed", json_object_new_boolean(is_signed));
	json_object_object_add(o, "endian", json_object_new_string("little"));
	return o;
}

static const char *base_kind(const struct isf *isf, const struct btf_type *t)
{
	if (btf_is_float(t))
		return "float";
	if (btf_int_encoding(t) & BTF_INT_BOOL)
		return "bool";
	return t->size == 1 && strstr(name_of(isf, t), "char") ? "char" : "int";
}

void isf_write_base_types(struct isf *isf)
{
	struct json_object *seen = json_object_new_object();
	const struct btf_type *t;
	uint32_t id;

	isf_begin(isf, "base_types");
	isf_add(isf, "void", base_type("void", 0, false));
	isf_add(isf, "pointer", base_type("int", 8, false));
	for (id = 1; id < isf->count; id++) {
		t = btf__type_by_id(isf->profile->types, id);
		if (!btf_is_int(t) && !btf_is_float(t))
			continue;
		if (json_object_object_get_ex(seen, name_of(isf, t), NULL))
			continue;
		json_object_object_add(seen, name_of(isf, t), NULL);
		isf_add(isf, name_of(isf, t),
			base_type(base_kind(isf, t), t->size, btf_is_float(t) ||
				  btf_int_encoding(t) & BTF_INT_SIGNED));
	}
	isf_end(isf, false);
	json_object_put(seen);
}
