// SPDX-License-Identifier: LGPL-2.1-or-later
/* The table of pids: a tree of nodes with 64 slots each, of which few change. */
#include <errno.h>

#include "list.h"
#include "task.h"

#define DEPTH_MAX	11	/* 64 bits by 6 */
#define SLOTS_MAX	64
#define NODE_MAX	1024
/* Looks at a node that makes no sense. */
#define PATIENCE	8

struct tree {
	struct linux_guest *guest;
	uint64_t shift, offset, parent, slots, slot_count, size;
	size_t *steps;
	struct nodes *pids;
};

/* A slot with this tag leads to another node. */
static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && entry > IMAGE_PAGE;
}

static int find_fields(struct tree *tree, uint64_t *head)
{
	struct linux_guest *guest = tree->guest;
	uint64_t marks = 0, table, root;
	int err = kernel_symbol(guest, "init_pid_ns", head);

	if (!err)
		err = linux_offset(guest, "pid_namespace", "idr", &table);
	if (!err)
		err = linux_offset(guest, "xarray", "xa_head", &root);
	if (!err)
		err = linux_offset(guest, "xa_node", "shift", &tree->shift);
	if (!err)
		err = linux_offset(guest, "xa_node", "offset", &tree->offset);
	if (!err)
		err = linux_offset(guest, "xa_node", "parent", &tree->parent);
	if (!err)
		err = linux_offset(guest, "xa_node", "slots", &tree->slots);
	if (!err)
		err = linux_offset(guest, "xa_node", "marks", &marks);
	if (err)
		return err;
	*head += table + root;
	tree->slot_count = (marks - tree->slots) / sizeof(uint64_t);
	tree->size = marks;
	return marks <= tree->slots || tree->slot_count > SLOTS_MAX ||
	       marks > NODE_MAX || tree->shift >= marks ||
	       tree->offset >= marks || tree->parent > marks - 8 ? -EBADMSG : 0;
}

static int read_bytes(struct tree *tree, uint64_t at, void *to, size_t size)
{
	if (!*tree->steps)
		return -EBADMSG;
	--*tree->steps;
	return memory_read(tree->guest, at, to, size);
}

static int visit(struct tree *tree, uint64_t link, uint64_t parent,
		 unsigned int slot, int depth);

static int visit_slots(struct tree *tree, uint64_t node, const uint8_t *bytes,
		       int depth)
{
	uint64_t entry;
	unsigned int i;
	int err = 0;

	for (i = 0; i < tree->slot_count && !err; i++) {
		entry = get64(bytes + tree->slots + 8 * i);
		if (is_node(entry))
			err = visit(tree, node + tree->slots + 8 * i, node, i,
				    depth - 1);
		else if (entry && !(entry & 3))
			err = nodes_push(tree->pids, entry);
	}
	return err;
}

/* What the slot at @link leads to; a node knows where it hangs. */
static int visit(struct tree *tree, uint64_t link, uint64_t parent,
		 unsigned int slot, int depth)
{
	uint8_t bytes[NODE_MAX];
	uint64_t entry;
	int err, looks;

	for (looks = 0; looks < PATIENCE && depth; looks++) {
		err = read_bytes(tree, link, &entry, sizeof(entry));
		if (err)
			return err;
		/* With pid 0 alone there would be no node. */
		if (!is_node(entry))
			return !entry || (entry & 3) ? 0 :
				nodes_push(tree->pids, entry);
		err = read_bytes(tree, entry - 2, bytes, tree->size);
		if (err && err != -EFAULT)
			return err;
		if (!err && get64(bytes + tree->parent) == parent &&
		    (!parent || bytes[tree->offset] == slot))
			return visit_slots(tree, entry - 2, bytes, depth);
	}
	tree->pids->is_whole = false;
	return 0;
}

int pids_walk(struct linux_guest *guest, size_t *steps, struct nodes *pids)
{
	struct tree tree = { .guest = guest, .steps = steps, .pids = pids };
	uint64_t head;
	int err;

	*pids = (struct nodes){ .is_whole = true };
	err = find_fields(&tree, &head);
	if (!err)
		err = visit(&tree, head, 0, 0, DEPTH_MAX);
	return err;
}

int pid_task(struct linux_guest *guest, const struct task_fields *fields,
	     uint64_t pid, uint64_t *task)
{
	uint64_t node;
	int err = field_read(guest, pid, "pid", "tasks", &node, sizeof(node));

	*task = !err && node ? node - fields->pid_links : 0;
	return err;
}
