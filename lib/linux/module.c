// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's modules: by their list, by the tree of addresses, by sysfs. */
#include <errno.h>
#include <stdlib.h>

#include "list.h"
#include "module.h"
#include "suspect.h"

#define MODULES_MAX	4096
#define STEPS		(1u << 16)

struct look {
	struct linux_guest *guest;
	struct linux_module *list;
	size_t count;
	size_t steps;
	unsigned int lists;	/* that this kernel has */
};

static struct linux_module *find(struct look *look, uint64_t gva)
{
	size_t i;

	for (i = 0; i < look->count; i++)
		if (look->list[i].gva == gva)
			return &look->list[i];
	return NULL;
}

static int see(struct look *look, uint64_t gva, unsigned int where)
{
	struct linux_module *module = find(look, gva), *list;
	int err = 0;

	if (!module && look->count < MODULES_MAX) {
		list = reallocarray(look->list, look->count + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		look->list = list;
		module = &list[look->count];
		err = module_read(look->guest, gva, module);
		look->count += !err;
	}
	if (!err && module)
		module->seen |= where;
	return err == -ENOENT ? 0 : err;
}

static int look_at_list(struct look *look)
{
	uint64_t head, offset;
	struct nodes nodes;
	size_t i;
	int err = kernel_symbol(look->guest, "modules", &head);

	if (!err)
		err = linux_offset(look->guest, "module", "list", &offset);
	if (err)
		return err;
	err = list_walk(look->guest, head, &look->steps, &nodes);
	for (i = 0; i < nodes.count && !err; i++)
		err = see(look, nodes.list[i] - offset, LINUX_SEEN_MODULES);
	nodes_free(&nodes);
	look->lists |= LINUX_SEEN_MODULES;
	return err;
}

static int look_at_tree(struct look *look)
{
	struct nodes nodes;
	size_t i;
	int err = module_tree_walk(look->guest, &look->steps, &nodes);

	/* A kernel that need not find addresses quickly has none. */
	if (err == -ENOENT)
		return 0;
	for (i = 0; i < nodes.count && !err; i++)
		err = see(look, nodes.list[i], LINUX_SEEN_MOD_TREE);
	nodes_free(&nodes);
	look->lists |= LINUX_SEEN_MOD_TREE;
	return err;
}

struct sysfs {
	uint64_t list;		/* the head of the set's list */
	uint64_t entry, mod;	/* in struct module_kobject */
};

static int find_sysfs(struct linux_guest *guest, struct sysfs *sysfs)
{
	uint64_t at, set, offset;
	int err = kernel_symbol(guest, "module_kset", &at);

	if (!err)
		err = linux_offset(guest, "kset", "list", &offset);
	if (!err)
		err = linux_offset(guest, "kobject", "entry", &sysfs->entry);
	if (!err)
		err = linux_offset(guest, "module_kobject", "mod", &sysfs->mod);
	if (!err)
		err = memory_read(guest, at, &set, sizeof(set));
	if (!err && !set)
		err = -ENOENT;
	sysfs->list = set + offset;
	return err;
}

static int look_at_sysfs(struct look *look)
{
	struct sysfs sysfs = { 0 };
	struct nodes nodes;
	uint64_t module;
	size_t i;
	int err = find_sysfs(look->guest, &sysfs);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = list_walk(look->guest, sysfs.list, &look->steps, &nodes);
	for (i = 0; i < nodes.count && !err; i++) {
		err = memory_read(look->guest, nodes.list[i] - sysfs.entry +
				  sysfs.mod, &module, sizeof(module));
		/* What is built in has parameters there, too. */
		if (!err && module)
			err = see(look, module, LINUX_SEEN_SYSFS);
		if (err == -EFAULT)
			err = 0;
	}
	nodes_free(&nodes);
	look->lists |= LINUX_SEEN_SYSFS;
	return err;
}

/* What it should be in: while it comes or goes that changes. */
static unsigned int missing(const struct look *look,
			    const struct linux_module *module)
{
	if (module->state != LINUX_MODULE_LIVE)
		return 0;
	return look->lists & ~module->seen;
}

static uint64_t id_of(const struct linux_module *module)
{
	uint64_t id;

	memcpy(&id, module->name, sizeof(id));
	return id;
}

/* @known: of the look before, to see if they are there still. */
static int take_look(struct look *look, const struct suspects *known)
{
	static int (*const look_at[])(struct look *look) = {
		look_at_list, look_at_tree, look_at_sysfs,
	};
	int err = 0;
	size_t i;

	free(look->list);
	look->list = NULL;
	look->count = 0;
	memory_ask(look->guest);
	for (i = 0; i < sizeof(look_at) / sizeof(look_at[0]); i++) {
		/* One that has no end shall not spoil the others. */
		look->steps = STEPS;
		err = look_at[i](look);
		if (err)
			return err;
	}
	for (i = 0; i < known->count && !err; i++)
		err = see(look, known->list[i].gva, 0);
	return err;
}

static int find_missing(const struct look *look, struct suspects *suspects)
{
	const struct linux_module *module;
	int err = 0;
	size_t i;

	for (i = 0; i < look->count && !err; i++) {
		module = &look->list[i];
		if (missing(look, module))
			err = suspects_add(suspects, (struct suspect){
				module->gva, id_of(module),
				missing(look, module) });
	}
	return err;
}

static int look_often(struct look *look, struct suspects *all)
{
	struct suspects now;
	int i, err = 0;

	for (i = 0; i < LOOKS && !err && (!i || all->count); i++) {
		if (i)
			suspects_wait();
		now = (struct suspects){ 0 };
		err = take_look(look, all);
		if (!err)
			err = find_missing(look, i ? &now : all);
		if (i)
			suspects_meet(all, &now);
		suspects_free(&now);
	}
	return err;
}

int linux_get_modules(struct linux_guest *guest, struct linux_module **list,
		      size_t *count)
{
	struct look look = { .guest = guest };
	struct suspects hidden = { 0 };
	struct linux_module *module;
	size_t i;
	int err = look_often(&look, &hidden);

	/* A kernel without modules. */
	if (err == -ENOENT && !look.lists) {
		uint64_t at;

		err = kernel_symbol(guest, "modules", &at) ? 0 : err;
	}
	*count = 0;
	for (i = 0; i < look.count && !err; i++) {
		module = &look.list[i];
		module->hidden = suspects_find(&hidden, module->gva,
					       id_of(module));
		if (module->seen || module->hidden)
			look.list[(*count)++] = *module;
	}
	*list = look.list;
	if (err)
		free(look.list);
	suspects_free(&hidden);
	return err;
}
