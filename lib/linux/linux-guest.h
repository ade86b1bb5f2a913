/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A running Linux guest in its own terms: symbols, memory by the kernel's
 * addresses, processes, modules.
 *
 * All is read from outside while the guest goes on, and the guest can say what it
 * likes: counts are limited and pointers followed only so far. What is told is
 * what the kernel's memory says, not more.
 *
 * A guest is not for several threads at a time. It uses commands only, so events
 * may be on or off and vCPUs paused or running. Unless a function says otherwise
 * its errors are also those of kvmi_vm_read_physical(). Since 0.1.
 */
#ifndef KVMI_LINUX_GUEST_H
#define KVMI_LINUX_GUEST_H

#include <kvmi/kvmi.h>
#include <profile.h>

struct linux_guest;

/*
 * Finds the kernel that runs in a VM: its profile, how far KASLR moved it, and
 * its own page tables.
 * @guest:	receives it; linux_close() ends it
 * @vm:		the session, which must stay as long as the guest
 *
 * A profile is made of the kernel's memory, which takes seconds, and kept for the
 * next time in the folder that $KVMI_CACHE names, or else in /var/cache/kvmi for
 * root, $XDG_CACHE_HOME/kvmi or ~/.cache/kvmi for others; "off" is none. It is
 * used only for a VM of the same UUID, which has to have one, and a kernel with
 * the same banner and build id. The folder must belong to this user, and nobody
 * else may write there.
 *
 * Errors: those of profile_from_vm().
 */
int linux_open(struct linux_guest **guest, struct kvmi_vm *vm);

/* Ends it; NULL is fine. The session stays. */
void linux_close(struct linux_guest *guest);

/* The profile, which lives as long as the guest. Its addresses lack KASLR. */
const struct profile *linux_get_profile(const struct linux_guest *guest);

/* Bytes that KASLR has moved the kernel. */
uint64_t linux_get_kaslr(const struct linux_guest *guest);

/*
 * Looks up a symbol of the kernel, or else of its modules.
 * @name:	as in /proc/kallsyms; "module:name" is that of one module
 * @gva:	receives its address in the running kernel. For a variable of which
 *		each processor has one it is the offset in its part
 * Errors: -ENOENT: there is none.
 */
int linux_symbol(struct linux_guest *guest, const char *name, uint64_t *gva);

/*
 * Reads what a person typed.
 * @text:	a number, or a symbol, or that with "+0x10" or "-16" behind it
 * @gva:	receives the address
 * Errors: -ENOENT: no such symbol; -EINVAL: neither, or it wraps around.
 */
int linux_parse_address(struct linux_guest *guest, const char *text,
			uint64_t *gva);

/*
 * Writes an address as "schedule+0x12", "[module]+0x12", or as a number.
 * @text:	receives it
 * @room:	bytes of text; 0 writes nothing
 * Returns @text. Never fails: it writes the number where the guest does not
 * answer.
 */
const char *linux_format_address(struct linux_guest *guest, uint64_t gva,
				 char *text, size_t room);

/*
 * Finds the symbol of the kernel itself that an address belongs to.
 * @offset:	receives how far behind it gva is
 * @next:	receives where the next symbol begins
 * Returns its name, or NULL: gva is outside of the kernel's image.
 */
const char *linux_symbol_at(struct linux_guest *guest, uint64_t gva,
			    uint64_t *offset, uint64_t *next);

/*
 * Translates an address of the kernel by its own page tables, those of init_mm,
 * whatever runs now.
 * @gpa:	receives the guest physical address
 * Errors: -EFAULT: nothing is mapped there.
 */
int linux_translate(struct linux_guest *guest, uint64_t gva, uint64_t *gpa);

/*
 * Reads memory by the kernel's addresses; not one atomic read.
 * Errors: -EFAULT: not all of it is mapped, and to is unspecified.
 */
int linux_read(struct linux_guest *guest, uint64_t gva, void *to, size_t size);

/*
 * Writes it, whatever the tables say of its protection.
 * Errors: -EFAULT: not all of it is mapped; what comes first may be written.
 */
int linux_write(struct linux_guest *guest, uint64_t gva, const void *from,
		size_t size);

/*
 * The same by other tables, as a process's.
 * @root:	guest physical address of the highest table: linux_task's root, or
 *		CR3; its lowest 12 bits do not count
 */
int linux_translate_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		       uint64_t *gpa);
int linux_read_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		  void *to, size_t size);

/*
 * Looks up where a field begins, as profile_offset(), and remembers it.
 * Errors: -ENOENT: there is none; -ENODATA: the kernel has no types.
 */
int linux_offset(struct linux_guest *guest, const char *structure,
		 const char *field, uint64_t *offset);

/*
 * Reads the beginning of a field.
 * @object:	where the structure begins
 * @size:	bytes to read
 * Errors: those of linux_offset() and linux_read().
 */
int linux_read_field(struct linux_guest *guest, uint64_t object,
		     const char *structure, const char *field,
		     void *to, size_t size);

/* Of the kernel's name of a task, with a NUL that is always there. */
#define LINUX_COMM 16

/* What a task can be found by. */
#define LINUX_SEEN_TASKS	(1u << 0)	/* the list of processes */
#define LINUX_SEEN_PIDS		(1u << 1)	/* the table of pids */
#define LINUX_SEEN_CHILDREN	(1u << 2)	/* its parent's children */
#define LINUX_SEEN_THREADS	(1u << 3)	/* its process's threads */
#define LINUX_SEEN_RUNNING	(1u << 4)	/* a processor runs it now */

struct linux_task {
	uint64_t gva;		/* of its task_struct */
	uint64_t started;	/* ns after the boot */
	int pid, tgid;		/* the same: it is a process's first thread */
	int ppid;		/* process that is its parent, 0: none */
	unsigned int uid;
	uint64_t mm;		/* gva of its mm_struct, 0: a kernel thread */
	/*
	 * Its page tables, gpa as in CR3 without flags, the kernel's half of what
	 * page-table isolation has; 0: none.
	 */
	uint64_t root;
	unsigned int state;	/* __state: 0 is running or ready */
	unsigned int exit_state;	/* not 0: it has ended */
	unsigned int flags;	/* PF_... */
	char comm[LINUX_COMM];
	unsigned int seen;	/* LINUX_SEEN_... */
	unsigned int hidden;	/* of these, where it should be and is not */
	int vcpu;		/* that runs it now, or -1 */
};

/*
 * Lists the processes, also those that one of the kernel's lists lacks, by pid.
 * @with_threads: their other threads, too
 * @list:	receives count tasks; free() it
 *
 * A task is called hidden when it was missing in three looks one after the
 * other, of each list a whole one, and was the same and alive in each: the guest
 * goes on, and what starts or ends meanwhile is no secret. So something hidden
 * takes longer.
 *
 * Errors: -ENODATA: no types; -ENOENT: not the symbols or fields it takes;
 * -EBADMSG: the lists make no sense; -ENOMEM.
 */
int linux_get_tasks(struct linux_guest *guest, bool with_threads,
		    struct linux_task **list, size_t *count);

/*
 * Tells which task a vCPU runs.
 * @vcpu:	index of the vCPU
 * @sregs:	its, of an event or of kvmi_vcpu_get_registers()
 * @task:	receives it, with seen LINUX_SEEN_RUNNING; pid 0 is idle
 *
 * It takes a few reads. The vCPU should stand, as in an event: else the task may
 * be another one when this returns.
 *
 * Errors: those of linux_get_tasks(); -ENOENT: also when the vCPU does not run
 * this kernel.
 */
int linux_get_current(struct linux_guest *guest, unsigned int vcpu,
		      const struct kvm_sregs *sregs, struct linux_task *task);

/* Of the name of a module, with its NUL. */
#define LINUX_MODULE_NAME 56

/* What a module can be found by. */
#define LINUX_SEEN_MODULES	(1u << 0)	/* the list of modules */
#define LINUX_SEEN_MOD_TREE	(1u << 1)	/* the tree of their addresses */
#define LINUX_SEEN_SYSFS	(1u << 2)	/* /sys/module */

/* linux_module's state, as in the kernel. */
enum {
	LINUX_MODULE_LIVE,
	LINUX_MODULE_COMING,
	LINUX_MODULE_GOING,
	LINUX_MODULE_UNFORMED,
};

struct linux_module {
	uint64_t gva;		/* of its struct module */
	char name[LINUX_MODULE_NAME];
	uint64_t base, size;	/* of its text; size is of all it has in memory */
	uint64_t text_size;	/* from base on */
	uint64_t init, init_size;	/* text that goes when it has been run; 0 */
	int refs;
	unsigned int state;
	unsigned int seen;	/* LINUX_SEEN_... */
	unsigned int hidden;	/* of these, where it should be and is not */
};

/*
 * Lists the modules, also those that one of the kernel's lists lacks, in the
 * order of /proc/modules, then those that it does not have.
 * @list:	receives count modules; free() it
 * What is hidden is found as linux_get_tasks() finds it. Errors: the same; a
 * kernel without modules has none.
 */
int linux_get_modules(struct linux_guest *guest, struct linux_module **list,
		      size_t *count);

#endif
