// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The tree in which the kernel finds the module of an address. It is there
 * twice, so that one can be read while the other is written; we read the first.
 */
#include <errno.h>

#include "list.h"
#include "module.h"

#define DEPTH_MAX 64	/* of a tree that is balanced, with much to spare */

struct tree {
	struct linux_guest *guest;
	uint64_t left, right, module;	/* from the node of the tree */
	size_t *steps;
	struct nodes *modules;
};

static int find_fields(struct tree *tree, uint64_t *root)
{
	struct linux_guest *guest = tree->guest;
	uint64_t head, node, mod, top;
	int err = kernel_symbol(guest, "mod_tree", root);

	if (!err)
		err = linux_offset(guest, "latch_tree_root", "tree", &head);
	if (!err)
		err = linux_offset(guest, "mod_tree_node", "node", &node);
	if (!err)
		err = linux_offset(guest, "mod_tree_node", "mod", &mod);
	if (!err)
		err = linux_offset(guest, "rb_root", "rb_node", &top);
	if (!err)
		err = linux_offset(guest, "rb_node", "rb_left", &tree->left);
	if (!err)
		err = linux_offset(guest, "rb_node", "rb_right", &tree->right);
	if (err)
		return err;
	*root += head + top;
	tree->module = mod - node;
	return 0;
}

static int read_pointer(struct tree *tree, uint64_t at, uint64_t *value)
{
	if (!*tree->steps)
		return -EBADMSG;
	--*tree->steps;
	return memory_read(tree->guest, at, value, sizeof(*value));
}

static int visit(struct tree *tree, uint64_t link, int depth)
{
	uint64_t node, module;
	int err = read_pointer(tree, link, &node);

	if (err || !node || !depth)
		return err;
	err = read_pointer(tree, node + tree->module, &module);
	if (!err)
		err = nodes_push(tree->modules, module);
	if (!err)
		err = visit(tree, node + tree->left, depth - 1);
	return err ? err : visit(tree, node + tree->right, depth - 1);
}

int module_tree_walk(struct linux_guest *guest, size_t *steps,
		     struct nodes *modules)
{
	struct tree tree = {
		.guest = guest, .steps = steps, .modules = modules,
	};
	uint64_t root;
	int err;

	*modules = (struct nodes){ 0 };
	err = find_fields(&tree, &root);
	if (err)
		return err;
	err = visit(&tree, root, DEPTH_MAX);
	modules->is_whole = !err;
	return err == -EFAULT || err == -EBADMSG ? 0 : err;
}
