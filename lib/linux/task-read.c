// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the kernel keeps of a task, read in one piece. */
#include <errno.h>
#include <stdlib.h>

#include "task.h"

/* More than the fields of any kernel take. */
#define SPAN_MAX	16384

static const struct {
	const char *name, *old;	/* as it was called before */
	size_t at, size;
} names[] = {
#define FIELD(member, name, old, size) \
	{ name, old, offsetof(struct task_fields, member), size }
	FIELD(state, "__state", "state", 4),
	FIELD(flags, "flags", NULL, 4),
	FIELD(pid, "pid", NULL, 4),
	FIELD(tgid, "tgid", NULL, 4),
	FIELD(mm, "mm", NULL, 8),
	FIELD(active_mm, "active_mm", NULL, 8),
	FIELD(exit_state, "exit_state", NULL, 4),
	FIELD(started, "start_time", NULL, 8),
	FIELD(comm, "comm", NULL, LINUX_COMM),
	FIELD(parent, "real_parent", NULL, 8),
	FIELD(leader, "group_leader", NULL, 8),
	FIELD(thread_pid, "thread_pid", NULL, 8),
	FIELD(signal, "signal", NULL, 8),
	FIELD(cred, "real_cred", NULL, 8),
	FIELD(tasks, "tasks", NULL, 16),
	FIELD(children, "children", NULL, 16),
	FIELD(sibling, "sibling", NULL, 16),
	FIELD(thread_node, "thread_node", NULL, 16),
	FIELD(pid_links, "pid_links", NULL, 16),
#undef FIELD
};

static int find_fields(struct linux_guest *guest, struct task_fields *fields)
{
	uint64_t *offset;
	size_t i;
	int err;

	fields->start = UINT64_MAX;
	fields->end = 0;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		offset = (uint64_t *)((uint8_t *)fields + names[i].at);
		err = linux_offset(guest, "task_struct", names[i].name, offset);
		if (err == -ENOENT && names[i].old)
			err = linux_offset(guest, "task_struct", names[i].old,
					   offset);
		if (err)
			return err;
		if (*offset < fields->start)
			fields->start = *offset;
		if (*offset + names[i].size > fields->end)
			fields->end = *offset + names[i].size;
	}
	return fields->end - fields->start > SPAN_MAX ? -EBADMSG : 0;
}

int task_find_fields(struct linux_guest *guest, struct task_fields *fields)
{
	int err;

	if (!guest->task_fields) {
		err = find_fields(guest, fields);
		if (err)
			return err;
		guest->task_fields = malloc(sizeof(*fields));
		if (!guest->task_fields)
			return -ENOMEM;
		*guest->task_fields = *fields;
	}
	*fields = *guest->task_fields;
	return 0;
}

static uint32_t word(const uint8_t *task, uint64_t offset)
{
	return get32(task + offset);
}

static uint64_t pointer(const uint8_t *task, uint64_t offset)
{
	return get64(task + offset);
}

/* @from: where offset 0 would be. */
static void take(const struct task_fields *f, const uint8_t *from, uint64_t gva,
		 struct found *found)
{
	struct linux_task *t = &found->task;

	t->gva = gva;
	t->vcpu = -1;
	t->state = word(from, f->state);
	t->flags = word(from, f->flags);
	t->exit_state = word(from, f->exit_state);
	t->pid = (int)word(from, f->pid);
	t->tgid = (int)word(from, f->tgid);
	t->mm = pointer(from, f->mm);
	t->started = pointer(from, f->started);
	memcpy(t->comm, from + f->comm, LINUX_COMM - 1);
	found->active_mm = pointer(from, f->active_mm);
	found->parent = pointer(from, f->parent);
	found->leader = pointer(from, f->leader);
	found->thread_pid = pointer(from, f->thread_pid);
	found->signal = pointer(from, f->signal);
	found->cred = pointer(from, f->cred);
	found->has_children = pointer(from, f->children) != gva + f->children;
	found->is_alone = pointer(from, f->thread_node) ==
			  pointer(from, f->thread_node + 8);
}

static bool is_object(uint64_t gva)
{
	return gva >> 63 && gva % 8 == 0;
}

int task_read(struct linux_guest *guest, const struct task_fields *fields,
	      uint64_t gva, struct found *found)
{
	uint8_t span[SPAN_MAX];
	int err;

	*found = (struct found){ 0 };
	if (!is_object(gva))
		return -ENOENT;
	err = memory_read(guest, gva + fields->start, span,
			  fields->end - fields->start);
	if (err)
		return err;
	take(fields, span - fields->start, gva, found);
	if (found->task.pid < 0 || found->task.tgid < 0 ||
	    !is_object(found->signal) || !is_object(found->leader))
		return -ENOENT;
	return 0;
}

int task_read_more(struct linux_guest *guest, struct found *found)
{
	struct linux_task *task = &found->task;
	uint64_t pgd = 0;
	int err;

	err = field_read(guest, found->cred, "cred", "uid", &task->uid,
			 sizeof(task->uid));
	if (err && err != -EFAULT)
		return err;
	if (!task->mm)
		return 0;
	err = field_read(guest, task->mm, "mm_struct", "pgd", &pgd,
			 sizeof(pgd));
	if (!err)
		err = memory_translate(guest, guest->root, pgd, &task->root);
	return err == -EFAULT ? 0 : err;
}
