// SPDX-License-Identifier: GPL-2.0-or-later
/* Which process of a Linux guest an event is about. */
#include <errno.h>

#include "kvmi.h"
#include "process.h"

#define ROOT_BITS	0x000ffffffffff000ull
#define ISOLATION_BIT	0x1000ull	/* the half that user mode has */
#define PAGE_SHIFT	12
#define STRUCT_PAGE	64		/* bytes */

static void take(struct process *process, int tgid, int pid, const char *comm)
{
	process->is_known = true;
	process->pid = tgid;
	process->tid = pid;
	printable(process->comm, sizeof(process->comm), comm,
		  strnlen(comm, LINUX_COMM));
}

void process_here(struct linux_guest *guest,
		  const struct kvmi_vcpu_event *state, struct process *process)
{
	struct linux_task task;

	*process = (struct process){ 0 };
	if (guest && !linux_get_current(guest, state->vcpu, &state->arch.sregs,
					&task))
		take(process, task.tgid, task.pid, task.comm);
}

/*
 * The kernel notes at the page of the highest table whose it is, and of that
 * who owns it: no list needs to be searched.
 */
static int read_mm(struct linux_guest *guest, uint64_t root, uint64_t *mm)
{
	uint64_t symbol, page, pgd, gpa;
	int err;

	err = linux_symbol(guest, "vmemmap_base", &symbol);
	if (!err)
		err = linux_read(guest, symbol, &page, sizeof(page));
	if (err)
		return err;
	page += (root >> PAGE_SHIFT) * STRUCT_PAGE;
	err = linux_read_field(guest, page, "ptdesc", "pt_mm", mm, sizeof(*mm));
	if (err == -ENOENT)
		err = linux_read_field(guest, page, "page", "pt_mm", mm,
				       sizeof(*mm));
	if (!err && !*mm)
		err = -ENOENT;
	/* The page may be something else, and the note a leftover. */
	if (!err)
		err = linux_read_field(guest, *mm, "mm_struct", "pgd", &pgd,
				       sizeof(pgd));
	if (!err)
		err = linux_translate(guest, pgd, &gpa);
	return err ? err : gpa == root ? 0 : -ENOENT;
}

static int read_owner(struct linux_guest *guest, uint64_t cr3, uint64_t *task)
{
	uint64_t mm = 0;
	int err;

	err = read_mm(guest, cr3 & ROOT_BITS & ~ISOLATION_BIT, &mm);
	if (err)
		err = read_mm(guest, cr3 & ROOT_BITS, &mm);
	if (!err)
		err = linux_read_field(guest, mm, "mm_struct", "owner", task,
				       sizeof(*task));
	return err ? err : *task ? 0 : -ENOENT;
}

void process_of_tables(struct linux_guest *guest, uint64_t cr3,
		       struct process *process)
{
	char comm[LINUX_COMM];
	uint64_t task = 0;
	int pid, tgid, err;

	*process = (struct process){ 0 };
	err = guest ? read_owner(guest, cr3, &task) : -ENOENT;
	if (!err)
		err = linux_read_field(guest, task, "task_struct", "pid", &pid,
				       sizeof(pid));
	if (!err)
		err = linux_read_field(guest, task, "task_struct", "tgid",
				       &tgid, sizeof(tgid));
	if (!err)
		err = linux_read_field(guest, task, "task_struct", "comm", comm,
				       sizeof(comm));
	if (!err)
		take(process, tgid, pid, comm);
}

bool filter_needs_process(const struct filter *filter)
{
	return filter->pid >= 0 || filter->comm;
}

bool filter_takes(const struct filter *filter, const struct process *process)
{
	if (!filter_needs_process(filter))
		return true;
	if (!process->is_known)
		return false;
	if (filter->pid >= 0 && process->pid != filter->pid &&
	    process->tid != filter->pid)
		return false;
	/* The kernel keeps so many characters of a name. */
	return !filter->comm ||
	       !strncmp(process->comm, filter->comm, LINUX_COMM - 1);
}

const char *process_format(const struct process *process, char *text,
			   size_t room)
{
	if (!process->is_known)
		snprintf(text, room, "-");
	else
		snprintf(text, room, "%s[%d]", process->comm, process->tid);
	return text;
}
