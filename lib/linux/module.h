/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules of the guest's kernel, for those who have an address or a name. */
#ifndef KVMI_LINUX_MODULE_H
#define KVMI_LINUX_MODULE_H

#include "within.h"

/* Whose text holds the address, as of a second ago at most; NULL. */
const struct linux_module *module_at(struct linux_guest *guest, uint64_t gva);
/* Fills modules, unless they were a second ago; with none on errors. */
void modules_refresh(struct linux_guest *guest);
void modules_forget(struct linux_guest *guest);

/*
 * module-symbol.c: a symbol of one of them, "name" or "module:name". Returns 0,
 * -ENOENT, or what reading returns.
 */
int module_symbol(struct linux_guest *guest, const char *name, uint64_t *gva);

/* module-read.c: fields of one at @gva; -ENOENT: there is none. */
int module_read(struct linux_guest *guest, uint64_t gva,
		struct linux_module *module);

/* module-tree.c: the modules in the tree of addresses, several times each. */
struct nodes;
int module_tree_walk(struct linux_guest *guest, size_t *steps,
		     struct nodes *modules);

#endif
