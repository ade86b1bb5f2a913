// SPDX-License-Identifier: LGPL-2.1-or-later
/* One look at all lists by which the kernel finds processes and threads. */
#include <errno.h>
#include <stdlib.h>

#include "list.h"
#include "look.h"

#define TASKS_MAX	(1u << 18)
/* Reads in one look. */
#define STEPS		(1u << 20)
/* Looks for one in which each list has an end. */
#define TRIES		4

int look_prepare(struct look *look)
{
	int err = task_find_fields(look->guest, &look->fields);

	if (!err)
		err = kernel_symbol(look->guest, "init_task", &look->idle);
	if (!err)
		err = linux_offset(look->guest, "signal_struct", "thread_head",
				   &look->thread_head);
	return err;
}

static size_t slot_of(const struct look *look, uint64_t gva)
{
	size_t slot = (gva >> 6) * 0x9e3779b97f4a7c15ull >> 32;

	for (slot %= look->index_size; look->index[slot];
	     slot = (slot + 1) % look->index_size)
		if (look->list[look->index[slot] - 1].task.gva == gva)
			break;
	return slot;
}

struct found *look_find(const struct look *look, uint64_t gva)
{
	size_t at = look->index_size ? look->index[slot_of(look, gva)] : 0;

	return at ? &look->list[at - 1] : NULL;
}

static int make_room(struct look *look)
{
	size_t i, room = look->room ? 2 * look->room : 256;
	struct found *list;
	uint32_t *index;

	if (look->count < look->room)
		return 0;
	if (room > TASKS_MAX)
		return -EBADMSG;
	list = reallocarray(look->list, room, sizeof(*list));
	if (!list)
		return -ENOMEM;
	look->list = list;
	index = calloc(2 * room, sizeof(*index));
	if (!index)
		return -ENOMEM;
	free(look->index);
	look->index = index;
	look->index_size = 2 * room;
	look->room = room;
	for (i = 0; i < look->count; i++)
		index[slot_of(look, list[i].task.gva)] = (uint32_t)i + 1;
	return 0;
}

/* Takes up a task that one of the lists has. What is none is left out. */
static int see(struct look *look, uint64_t gva, unsigned int where)
{
	struct found *found = look_find(look, gva);
	int err = 0;

	if (!found) {
		err = make_room(look);
		if (err)
			return err;
		found = &look->list[look->count];
		err = task_read(look->guest, &look->fields, gva, found);
		/* The idle ones are on no list. */
		if (!err && !found->task.pid)
			err = -ENOENT;
		if (!err) {
			look->count++;
			look->index[slot_of(look, gva)] = (uint32_t)look->count;
		}
	}
	if (!err)
		found->task.seen |= where;
	return err == -ENOENT || err == -EFAULT ? 0 : err;
}

static int see_list(struct look *look, uint64_t head, uint64_t offset,
		    unsigned int where)
{
	struct nodes nodes;
	int err = list_walk(look->guest, head, &look->steps, &nodes);
	size_t i;

	for (i = 0; i < nodes.count && !err; i++)
		err = see(look, nodes.list[i] - offset, where);
	if (!err && !nodes.is_whole)
		look->is_whole = false;
	nodes_free(&nodes);
	/* What it belongs to may have ended. */
	return err == -EFAULT ? 0 : err;
}

static int see_pids(struct look *look)
{
	struct nodes pids;
	struct found *found;
	uint64_t task;
	size_t i;
	int err = pids_walk(look->guest, &look->steps, &pids);

	for (i = 0; i < pids.count && !err; i++) {
		err = pid_task(look->guest, &look->fields, pids.list[i], &task);
		if (!err && task)
			err = see(look, task, 0);
		found = !err && task ? look_find(look, task) : NULL;
		if (found && found->thread_pid == pids.list[i])
			found->task.seen |= LINUX_SEEN_PIDS;
		if (err == -EFAULT)
			err = 0;
	}
	if (!pids.is_whole)
		look->is_whole = false;
	nodes_free(&pids);
	return err == -EFAULT ? -EBADMSG : err;
}

static int see_running(struct look *look)
{
	struct kvmi_vcpu_get_registers_reply reply;
	struct kvmi_vm_get_info_reply info;
	unsigned int vcpu, cpu;
	struct found *found;
	uint64_t task;
	int err = kvmi_vm_get_info(look->guest->vm, &info);

	for (vcpu = 0; !err && vcpu < info.vcpu_count; vcpu++) {
		err = kvmi_vcpu_get_registers(look->guest->vm, vcpu, NULL, 0,
					      &reply, NULL);
		if (!err)
			err = cpu_of_vcpu(look->guest, vcpu, &reply.sregs, &cpu);
		if (!err)
			err = task_of_cpu(look->guest, cpu, &task);
		if (!err)
			err = see(look, task, LINUX_SEEN_RUNNING);
		found = err ? NULL : look_find(look, task);
		if (found)
			found->task.vcpu = (int)vcpu;
		/* It is not started, or runs something else. */
		if (err == -EAGAIN || err == -ENOENT)
			err = 0;
	}
	return err;
}

/* Its threads and children, which may be new ones. */
static int see_relatives(struct look *look, size_t at)
{
	struct found found = look->list[at];
	const struct task_fields *f = &look->fields;
	int err = 0;

	if (found.leader == found.task.gva && !found.is_alone)
		err = see_list(look, found.signal + look->thread_head,
			       f->thread_node, LINUX_SEEN_THREADS);
	else if (found.leader == found.task.gva)
		look->list[at].task.seen |= LINUX_SEEN_THREADS;
	if (!err && found.has_children)
		err = see_list(look, found.task.gva + f->children, f->sibling,
			       LINUX_SEEN_CHILDREN);
	return err;
}

void look_end(struct look *look)
{
	free(look->index);
	free(look->list);
	look->index = NULL;
	look->list = NULL;
	look->count = look->room = look->index_size = 0;
}

static void begin(struct look *look)
{
	look_end(look);
	look->steps = STEPS;
	look->is_whole = true;
	memory_ask(look->guest);
}

static int take_look(struct look *look, const struct suspects *known)
{
	const struct task_fields *f = &look->fields;
	size_t i;
	int err;

	begin(look);
	err = see_list(look, look->idle + f->tasks, f->tasks, LINUX_SEEN_TASKS);
	if (!err)
		err = see_pids(look);
	if (!err)
		err = see_running(look);
	for (i = 0; i < known->count && !err; i++)
		err = see(look, known->list[i].gva, 0);
	if (!err)
		err = see_list(look, look->idle + f->children, f->sibling,
			       LINUX_SEEN_CHILDREN);
	for (i = 0; i < look->count && !err; i++)
		err = see_relatives(look, i);
	return err;
}

/* A list can have no end for a moment, in the middle of a change. */
int look_take(struct look *look, const struct suspects *known)
{
	int i, err = 0;

	for (i = 0; i < TRIES && !err; i++) {
		if (i)
			suspects_wait();
		err = take_look(look, known);
		if (look->is_whole)
			break;
	}
	return err;
}
