// SPDX-License-Identifier: LGPL-2.1-or-later
/* Walk a list that the kernel may change at any moment, or that lies. */
#include <errno.h>
#include <stdlib.h>

#include "list.h"

/* Looks at a place that makes no sense, before it is taken as it is. */
#define PATIENCE	16
/* Places of a list that may be so. */
#define ODD_MAX		8

struct link {
	uint64_t next, prev;
};

struct walk {
	struct linux_guest *guest;
	uint64_t head;
	size_t *steps;
	struct nodes *nodes;
	unsigned int looks, odd;
};

static int read_link(struct walk *w, uint64_t at, struct link *link)
{
	if (!*w->steps)
		return -EBADMSG;
	--*w->steps;
	return memory_read(w->guest, at, link, sizeof(*link));
}

/* Where the walk stands; @back more steps before. */
static uint64_t place(const struct walk *w, size_t back)
{
	size_t count = w->nodes->count;

	return count > back ? w->nodes->list[count - 1 - back] : w->head;
}

int nodes_push(struct nodes *nodes, uint64_t at)
{
	size_t room = nodes->room ? 2 * nodes->room : 64;
	uint64_t *list;

	if (nodes->count == nodes->room) {
		list = reallocarray(nodes->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		nodes->list = list;
		nodes->room = room;
	}
	nodes->list[nodes->count++] = at;
	return 0;
}

/* Goes back as far as nodes have left the list; the rest is looked at again. */
static int go_back(struct walk *w, uint64_t *next)
{
	struct link link;
	int err;

	for (;;) {
		err = read_link(w, place(w, 0), &link);
		if (!err && (!w->nodes->count || link.prev == place(w, 1) ||
			     w->odd)) {
			*next = link.next;
			return 0;
		}
		if (!w->nodes->count || (err && err != -EFAULT))
			return err;
		w->nodes->count--;
	}
}

/* Whether to take what does not point back: a list may be broken for good. */
static bool is_patient(struct walk *w)
{
	if (++w->looks % PATIENCE)
		return true;
	w->odd++;
	return false;
}

static int walk_on(struct walk *w, uint64_t next)
{
	struct link link;
	int err = 0;

	while (!err && w->odd < ODD_MAX) {
		err = read_link(w, next, &link);
		if (err && err != -EFAULT)
			break;
		if ((err || link.prev != place(w, 0)) && is_patient(w)) {
			err = go_back(w, &next);
			continue;
		}
		if (err)
			break;
		if (next == w->head) {
			w->nodes->is_whole = !w->odd;
			break;
		}
		err = nodes_push(w->nodes, next);
		next = link.next;
		w->looks = 0;
	}
	/* A broken end is the end. */
	return err == -EFAULT || err == -EBADMSG ? 0 : err;
}

int list_walk(struct linux_guest *guest, uint64_t head, size_t *steps,
	      struct nodes *nodes)
{
	struct walk walk = {
		.guest = guest, .head = head, .steps = steps, .nodes = nodes,
	};
	struct link link;
	int err;

	*nodes = (struct nodes){ 0 };
	err = read_link(&walk, head, &link);
	return err ? err : walk_on(&walk, link.next);
}

void nodes_free(struct nodes *nodes)
{
	free(nodes->list);
	*nodes = (struct nodes){ 0 };
}
