// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The symbols of an ISF file. BTF has the types of functions, and of variables
 * only those that each processor has for itself: the others are told here for
 * what forensic programs begin with.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include <gnutls/gnutls.h>

#include "isf.h"

static const struct {
	const char *symbol, *structure;
	bool is_pointer;
} known[] = {
	{ "file_systems", "file_system_type", true },
	{ "ftrace_ops_list", "ftrace_ops", true },
	{ "init_files", "files_struct", false },
	{ "init_mm", "mm_struct", false },
	{ "init_nsproxy", "nsproxy", false },
	{ "init_pid_ns", "pid_namespace", false },
	{ "init_task", "task_struct", false },
	{ "init_uts_ns", "uts_namespace", false },
	{ "iomem_resource", "resource", false },
	{ "ioport_resource", "resource", false },
	{ "keyboard_notifier_list", "atomic_notifier_head", false },
	{ "mod_tree", "mod_tree_root", false },
	{ "module_kset", "kset", true },
	{ "modules", "list_head", false },
	{ "net_namespace_list", "list_head", false },
	{ "prb", "printk_ringbuffer", true },
	{ "prog_idr", "idr", false },
	{ "root_task_group", "task_group", false },
	{ "socket_file_ops", "file_operations", false },
	{ "super_blocks", "list_head", false },
	{ "tcp4_seq_afinfo", "tcp_seq_afinfo", false },
	{ "tty_drivers", "list_head", false },
	{ "udp4_seq_afinfo", "udp_seq_afinfo", false },
};

static struct json_object *known_type(const struct isf *isf, const char *name)
{
	struct json_object *o, *pointer;
	size_t i;
	int id;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].symbol, name))
			break;
	if (i == sizeof(known) / sizeof(known[0]))
		return NULL;
	id = btf__find_by_name_kind(isf->profile->types, known[i].structure,
				    BTF_KIND_STRUCT);
	if (id < 0)
		return NULL;
	o = isf_type(isf, (uint32_t)id, TYPE_DEPTH);
	if (!known[i].is_pointer)
		return o;
	pointer = json_object_new_object();
	json_object_object_add(pointer, "kind",
			       json_object_new_string("pointer"));
	json_object_object_add(pointer, "subtype", o);
	return pointer;
}

/* With the newline and the NUL: so the programs look for it in memory. */
static int add_banner(const struct profile *p, struct json_object *symbol)
{
	const gnutls_datum_t banner = {
		.data = (unsigned char *)p->banner,
		.size = (unsigned int)strlen(p->banner) + 1,
	};
	struct json_object *text;
	gnutls_datum_t base64;

	if (gnutls_base64_encode2(&banner, &base64))
		return -ENOMEM;
	text = json_object_new_string_len((char *)base64.data,
					  (int)base64.size);
	json_object_object_add(symbol, "constant_data", text);
	gnutls_free(base64.data);
	return 0;
}

static struct json_object *banner_type(const struct profile *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *letter = json_object_new_object();
	int64_t count = (int64_t)strlen(p->banner) + 1;

	json_object_object_add(letter, "kind", json_object_new_string("base"));
	json_object_object_add(letter, "name", json_object_new_string("char"));
	json_object_object_add(o, "kind", json_object_new_string("array"));
	json_object_object_add(o, "count", json_object_new_int64(count));
	json_object_object_add(o, "subtype", letter);
	return o;
}

/* Types of symbols by their names. */
static struct json_object *collect_types(const struct isf *isf)
{
	struct json_object *all = json_object_new_object();
	const struct btf *types = isf->profile->types;
	const struct btf_type *t;
	struct json_object *type;
	const char *name;
	uint32_t id;

	for (id = 1; id < isf->count; id++) {
		t = btf__type_by_id(types, id);
		if (!btf_is_var(t) && !btf_is_func(t))
			continue;
		name = types_name(types, t->name_off);
		type = json_object_new_int64(btf_is_var(t) ? t->type : id);
		json_object_object_add(all, name, type);
	}
	return all;
}

static int write_symbol(struct isf *isf, const struct symbol *s,
			struct json_object *types)
{
	struct json_object *o = json_object_new_object(), *id;
	struct json_object *type = known_type(isf, s->name);
	int err = 0;

	json_object_object_add(o, "address", json_object_new_uint64(s->address));
	if (!strcmp(s->name, "linux_banner") && *isf->profile->banner) {
		type = banner_type(isf->profile);
		err = add_banner(isf->profile, o);
	} else if (!type && json_object_object_get_ex(types, s->name, &id)) {
		type = isf_type(isf, (uint32_t)json_object_get_int64(id),
				TYPE_DEPTH);
	}
	if (type)
		json_object_object_add(o, "type", type);
	isf_add(isf, s->name, o);
	return err;
}

/* By name, the global ones first and then by address. */
static int compare(const void *left, const void *right)
{
	const struct symbol *a = *(const struct symbol *const *)left;
	const struct symbol *b = *(const struct symbol *const *)right;
	int by_name = strcmp(a->name, b->name);
	bool is_local = islower((unsigned char)a->type);

	if (by_name)
		return by_name;
	if (is_local != !!islower((unsigned char)b->type))
		return is_local ? 1 : -1;
	return a->address < b->address ? -1 : a->address > b->address;
}

int isf_write_symbols(struct isf *isf)
{
	const struct symbols *symbols = &isf->profile->symbols;
	const struct symbol **sorted;
	struct json_object *types;
	int err = 0;
	size_t i;

	sorted = calloc(symbols->count, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (i = 0; i < symbols->count; i++)
		sorted[i] = &symbols->list[i];
	qsort(sorted, symbols->count, sizeof(*sorted), compare);
	types = collect_types(isf);
	isf_begin(isf, "symbols");
	for (i = 0; i < symbols->count && !err; i++)
		if (!i || strcmp(sorted[i]->name, sorted[i - 1]->name))
			err = write_symbol(isf, sorted[i], types);
	isf_end(isf, true);
	json_object_put(types);
	free(sorted);
	return err;
}
