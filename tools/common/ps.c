// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes as a table with the tree of parents and children, and as JSON. */
#include <stdlib.h>

#include <libsmartcols.h>

#include "kvmi.h"
#include "ps.h"

#define NAME_ROOM	(LINUX_COMM + 2)
#define DEPTH_MAX	64	/* of the tree, as a guest can make a circle */
/* In flags and states of tasks. */
#define PF_KTHREAD	0x00200000
#define STATE_REPORT	0x7f
#define STATE_IDLE	0x402
#define STATE_BLOCKED	0x9000	/* on a lock, or frozen */

static const struct list_name lists[] = {
	{ LINUX_SEEN_TASKS, "tasks", "in the task list" },
	{ LINUX_SEEN_PIDS, "pids", "in the table of pids" },
	{ LINUX_SEEN_CHILDREN, "children", "among its parent's children" },
	{ LINUX_SEEN_THREADS, "threads", "among its process's threads" },
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

enum { PID, PROCESS, PPID, UID, STATE, VCPU, NAME, NOTE, COLUMNS };

struct tree {
	const struct linux_task *list;
	size_t count;
	struct libscols_table *table;
	struct libscols_line **lines;	/* of each task, once there is one */
	int columns[COLUMNS];	/* -1: not shown */
};

/* The letter that ps(1) has for it. */
static char state_letter(const struct linux_task *task)
{
	static const char letters[] = "RSDTtXZP";
	unsigned int state = (task->state | task->exit_state) & STATE_REPORT;
	size_t letter = 0;

	if (task->state == STATE_IDLE)
		return 'I';
	if (task->state & STATE_BLOCKED)
		return 'D';
	for (; state; state >>= 1)
		letter++;
	return letters[letter];
}

/* Kernel threads in brackets. */
static const char *name_of(const struct linux_task *task, char *text)
{
	bool is_kernel = task->flags & PF_KTHREAD;
	char name[LINUX_COMM];

	printable(name, sizeof(name), task->comm,
		  strnlen(task->comm, LINUX_COMM));
	snprintf(text, NAME_ROOM, is_kernel ? "[%s]" : "%s", name);
	return text;
}

static void set(struct tree *tree, struct libscols_line *line, int column,
		const char *text)
{
	if (tree->columns[column] >= 0)
		scols_line_set_data(line, (size_t)tree->columns[column], text);
}

static void set_number(struct tree *tree, struct libscols_line *line,
		       int column, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	set(tree, line, column, text);
}

static void fill(struct tree *tree, struct libscols_line *line,
		 const struct linux_task *task)
{
	char *hidden = hidden_words(task->hidden, lists, LISTS);
	char state[] = { state_letter(task), '\0' }, name[NAME_ROOM];

	set_number(tree, line, PID, task->pid);
	set_number(tree, line, PROCESS, task->tgid);
	set_number(tree, line, PPID, task->ppid);
	set_number(tree, line, UID, task->uid);
	set(tree, line, STATE, state);
	if (task->vcpu >= 0)
		set_number(tree, line, VCPU, task->vcpu);
	set(tree, line, NAME, name_of(task, name));
	if (hidden)
		set(tree, line, NOTE, hidden);
	free(hidden);
}

/* The list is by pid. */
static const struct linux_task *find(const struct tree *tree, int pid)
{
	size_t low = 0, high = tree->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (tree->list[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tree->count && tree->list[low].pid == pid ?
	       &tree->list[low] : NULL;
}

/* Below its parent, or a thread below its process. */
static struct libscols_line *add(struct tree *tree,
				 const struct linux_task *task, int depth)
{
	size_t at = (size_t)(task - tree->list);
	const struct linux_task *above;
	struct libscols_line *parent = NULL;

	if (tree->lines[at])
		return tree->lines[at];
	above = find(tree, task->pid == task->tgid ? task->ppid : task->tgid);
	if (above && above != task && depth)
		parent = add(tree, above, depth - 1);
	/* It may have come in the course of that, in a circle. */
	if (!tree->lines[at]) {
		tree->lines[at] = scols_table_new_line(tree->table, parent);
		fill(tree, tree->lines[at], task);
	}
	return tree->lines[at];
}

static void add_columns(struct tree *tree, bool with_threads, bool with_notes)
{
	static const struct {
		const char *name;
		int flags;
	} columns[COLUMNS] = {
		{ "PID", SCOLS_FL_RIGHT }, { "PROCESS", SCOLS_FL_RIGHT },
		{ "PPID", SCOLS_FL_RIGHT }, { "UID", SCOLS_FL_RIGHT },
		{ "STATE", 0 }, { "VCPU", SCOLS_FL_RIGHT },
		{ "NAME", SCOLS_FL_TREE }, { "NOTE", 0 },
	};
	int i, count = 0;

	for (i = 0; i < COLUMNS; i++) {
		tree->columns[i] = -1;
		if ((i == PROCESS && !with_threads) ||
		    (i == NOTE && !with_notes))
			continue;
		scols_table_new_column(tree->table, columns[i].name, 0,
				       columns[i].flags);
		tree->columns[i] = count++;
	}
}

void tasks_show(const struct linux_task *list, size_t count, bool with_threads,
		size_t hidden)
{
	struct tree tree = { .list = list, .count = count };
	size_t i;

	tree.lines = calloc(count + 1, sizeof(*tree.lines));
	if (!tree.lines)
		return;
	tree.table = scols_new_table();
	add_columns(&tree, with_threads, hidden);
	for (i = 0; i < count; i++)
		add(&tree, &list[i], DEPTH_MAX);
	scols_print_table(tree.table);
	scols_unref_table(tree.table);
	free(tree.lines);
}

static struct json_object *task_json(const struct linux_task *task)
{
	struct json_object *o = json_object_new_object();
	char state[] = { state_letter(task), '\0' }, name[LINUX_COMM];

	printable(name, sizeof(name), task->comm,
		  strnlen(task->comm, LINUX_COMM));
	json_object_object_add(o, "pid", json_object_new_int(task->pid));
	json_object_object_add(o, "process", json_object_new_int(task->tgid));
	json_object_object_add(o, "ppid", json_object_new_int(task->ppid));
	json_object_object_add(o, "uid", json_object_new_int64(task->uid));
	json_object_object_add(o, "state", json_object_new_string(state));
	json_object_object_add(o, "vcpu", task->vcpu < 0 ? NULL :
			       json_object_new_int(task->vcpu));
	json_object_object_add(o, "name", json_object_new_string(name));
	json_object_object_add(o, "kernel",
			       json_object_new_boolean(task->flags & PF_KTHREAD));
	json_object_object_add(o, "task", json_gpa(task->gva));
	json_object_object_add(o, "page_tables", task->root ?
			       json_gpa(task->root) : NULL);
	json_object_object_add(o, "hidden",
			       hidden_json(task->hidden, lists, LISTS));
	return o;
}

struct json_object *tasks_json(const struct linux_task *list, size_t count)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		json_object_array_add(array, task_json(&list[i]));
	return array;
}
