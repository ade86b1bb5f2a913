// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's processes and threads, by all that the kernel finds them by. */
#include <errno.h>
#include <stdlib.h>

#include "list.h"
#include "suspect.h"
#include "task.h"

#define TASKS_MAX	(1u << 18)
/* Reads in one look. */
#define STEPS		(1u << 20)
/* Looks for one in which each list has an end. */
#define TRIES		4

struct look {
	struct linux_guest *guest;
	struct task_fields fields;
	struct found *list;
	size_t count, room;
	uint32_t *index;	/* by hash: 0, or one more than where it is */
	size_t index_size;
	size_t steps;
	uint64_t idle;		/* init_task */
	uint64_t thread_head;	/* in struct signal_struct */
	bool is_whole;
};

static size_t slot_of(const struct look *look, uint64_t gva)
{
	size_t slot = (gva >> 6) * 0x9e3779b97f4a7c15ull >> 32;

	for (slot %= look->index_size; look->index[slot];
	     slot = (slot + 1) % look->index_size)
		if (look->list[look->index[slot] - 1].task.gva == gva)
			break;
	return slot;
}

static struct found *find(const struct look *look, uint64_t gva)
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
	struct found *found = find(look, gva);
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
		found = !err && task ? find(look, task) : NULL;
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
		found = err ? NULL : find(look, task);
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

static void begin(struct look *look)
{
	free(look->index);
	free(look->list);
	look->index = NULL;
	look->list = NULL;
	look->count = look->room = look->index_size = 0;
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
static int take_whole_look(struct look *look, const struct suspects *known)
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

/* Where it should be: it is made and ended in several steps. */
static unsigned int missing(const struct found *found)
{
	unsigned int lists = LINUX_SEEN_PIDS | LINUX_SEEN_THREADS;

	if (found->task.exit_state || (found->task.state & TASK_NEW))
		return 0;
	if (found->leader == found->task.gva)
		lists |= LINUX_SEEN_TASKS | LINUX_SEEN_CHILDREN;
	return lists & ~found->task.seen;
}

/* Another task in the same memory has another pid, or began later. */
static uint64_t id_of(const struct linux_task *task)
{
	return task->started ^ (uint64_t)task->pid << 40;
}

static int find_missing(const struct look *look, struct suspects *suspects)
{
	const struct found *found;
	int err = 0;
	size_t i;

	for (i = 0; i < look->count && !err; i++) {
		found = &look->list[i];
		if (missing(found))
			err = suspects_add(suspects, (struct suspect){
				found->task.gva, id_of(&found->task),
				missing(found) });
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
		err = take_whole_look(look, all);
		if (!err)
			err = find_missing(look, i ? &now : all);
		if (i)
			suspects_meet(all, &now);
		suspects_free(&now);
	}
	return err;
}

static int prepare(struct look *look)
{
	int err = task_find_fields(look->guest, &look->fields);

	if (!err)
		err = kernel_symbol(look->guest, "init_task", &look->idle);
	if (!err)
		err = linux_offset(look->guest, "signal_struct", "thread_head",
				   &look->thread_head);
	return err;
}

static int by_pid(const void *one, const void *other)
{
	const struct linux_task *a = one, *b = other;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->gva < b->gva ? -1 : a->gva > b->gva;
}

/* What it says of a task that is shown, and whether it is. */
static int finish(struct look *look, struct found *found,
		  const struct suspects *hidden, bool with_threads, bool *shows)
{
	const struct found *parent = find(look, found->parent);
	struct linux_task *task = &found->task;

	task->hidden = suspects_find(hidden, task->gva, id_of(task));
	task->ppid = parent ? parent->task.tgid : 0;
	*shows = task->hidden ||
		 (task->seen && task->exit_state != EXIT_DEAD &&
		  (with_threads || found->leader == task->gva));
	return *shows ? task_read_more(look->guest, found) : 0;
}

static int give(struct look *look, const struct suspects *hidden,
		bool with_threads, struct linux_task **list, size_t *count)
{
	bool shows;
	size_t i;
	int err = 0;

	*count = 0;
	*list = calloc(look->count + 1, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	for (i = 0; i < look->count && !err; i++) {
		err = finish(look, &look->list[i], hidden, with_threads,
			     &shows);
		if (!err && shows)
			(*list)[(*count)++] = look->list[i].task;
	}
	if (err)
		free(*list);
	else
		qsort(*list, *count, sizeof(**list), by_pid);
	return err;
}

int linux_get_tasks(struct linux_guest *guest, bool with_threads,
		    struct linux_task **list, size_t *count)
{
	struct look look = { .guest = guest };
	struct suspects hidden = { 0 };
	int err = prepare(&look);

	if (!err)
		err = look_often(&look, &hidden);
	if (!err)
		err = give(&look, &hidden, with_threads, list, count);
	suspects_free(&hidden);
	free(look.index);
	free(look.list);
	return err;
}
