/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts that look for tasks have for each other. */
#ifndef KVMI_LINUX_TASK_H
#define KVMI_LINUX_TASK_H

#include "within.h"

/* Set in __state until the one who made the task has ended with it. */
#define TASK_NEW	0x800
/* exit_state: nobody waits for it any more. */
#define EXIT_DEAD	0x10

/* Where the fields of struct task_struct are, and how much holds them all. */
struct task_fields {
	uint64_t state, flags, pid, tgid, mm, active_mm, exit_state, started;
	uint64_t comm, parent, leader, thread_pid, signal, cred;
	uint64_t tasks, children, sibling, thread_node, pid_links;
	uint64_t start, end;
};

/* A task with what leads from it to others. */
struct found {
	struct linux_task task;
	uint64_t parent, leader, thread_pid, signal, cred, active_mm;
	bool has_children;
	bool is_alone;		/* its process has no other thread */
};

/* task-read.c */
int task_find_fields(struct linux_guest *guest, struct task_fields *fields);
/*
 * Reads what is at @gva. Returns 0; -ENOENT: it is no task; -EFAULT: nor is
 * there memory; what commands return.
 */
int task_read(struct linux_guest *guest, const struct task_fields *fields,
	      uint64_t gva, struct found *found);
/* Fills uid and root, as far as they can be read. */
int task_read_more(struct linux_guest *guest, struct found *found);

/* task-current.c: what the processor runs by its run queue. */
int task_of_cpu(struct linux_guest *guest, unsigned int cpu, uint64_t *gva);

/* task-pids.c */
struct nodes;
/* The struct pid of all processes and threads; -ENOENT, -EBADMSG. */
int pids_walk(struct linux_guest *guest, size_t *steps, struct nodes *pids);
/* The first task that has this pid, 0 if none; -EFAULT. */
int pid_task(struct linux_guest *guest, const struct task_fields *fields,
	     uint64_t pid, uint64_t *task);

#endif
