// SPDX-License-Identifier: LGPL-2.1-or-later
/* What runs now: by the variable of each processor, and by its run queue. */
#include <errno.h>

#include "task.h"

/* The pointer has been in two places. */
static int find_current(struct linux_guest *guest, unsigned int cpu,
			uint64_t *at)
{
	uint64_t variable, offset = 0;
	int err = kernel_symbol(guest, "current_task", &variable);

	if (err == -ENOENT) {
		err = kernel_symbol(guest, "pcpu_hot", &variable);
		if (!err)
			err = linux_offset(guest, "pcpu_hot", "current_task",
					   &offset);
	}
	return err ? err : cpu_variable(guest, cpu, variable + offset, at);
}

int task_of_cpu(struct linux_guest *guest, unsigned int cpu, uint64_t *gva)
{
	uint64_t queues, offset, at;
	int err = kernel_symbol(guest, "runqueues", &queues);

	if (!err)
		err = linux_offset(guest, "rq", "curr", &offset);
	if (!err)
		err = cpu_variable(guest, cpu, queues + offset, &at);
	return err ? err : memory_read(guest, at, gva, sizeof(*gva));
}

static int read_parent(struct linux_guest *guest,
		       const struct task_fields *fields, struct found *found)
{
	uint32_t tgid;
	int err;

	err = memory_read(guest, found->parent + fields->tgid, &tgid,
			  sizeof(tgid));
	if (!err)
		found->task.ppid = (int)tgid;
	return err == -EFAULT ? 0 : err;
}

int linux_get_current(struct linux_guest *guest, unsigned int vcpu,
		      const struct kvm_sregs *sregs, struct linux_task *task)
{
	struct task_fields fields;
	struct found found;
	unsigned int cpu;
	uint64_t at, gva;
	int err;

	memory_ask(guest);
	err = task_find_fields(guest, &fields);
	if (!err)
		err = cpu_of_vcpu(guest, vcpu, sregs, &cpu);
	if (!err)
		err = find_current(guest, cpu, &at);
	if (!err)
		err = memory_read(guest, at, &gva, sizeof(gva));
	if (!err)
		err = task_read(guest, &fields, gva, &found);
	if (!err)
		err = read_parent(guest, &fields, &found);
	if (!err)
		err = task_read_more(guest, &found);
	if (err)
		return err == -EFAULT ? -ENOENT : err;
	*task = found.task;
	task->seen = LINUX_SEEN_RUNNING;
	task->vcpu = (int)vcpu;
	return 0;
}
