// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's processes and threads, with what hides some of them. */
#include <errno.h>
#include <stdlib.h>

#include "look.h"

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
		err = look_take(look, all);
		if (!err)
			err = find_missing(look, i ? &now : all);
		if (i)
			suspects_meet(all, &now);
		suspects_free(&now);
	}
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
	const struct found *parent = look_find(look, found->parent);
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
	int err = look_prepare(&look);

	if (!err)
		err = look_often(&look, &hidden);
	if (!err)
		err = give(&look, &hidden, with_threads, list, count);
	suspects_free(&hidden);
	look_end(&look);
	return err;
}
