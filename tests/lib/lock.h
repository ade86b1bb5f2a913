/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Debian guest whose kernel stores where the test wants it to, and a tool
 * that has taken the right to write from these pages.
 *
 * A step is one store by one vCPU, while the other one stores to the same page
 * as often as it gets to. Every attempt of both must be an event, and each event
 * such an attempt.
 */
#ifndef TESTS_LIB_LOCK_H
#define TESTS_LIB_LOCK_H

#include <stddef.h>

#include "kinds.h"
#include "pages.h"

#define LOCK_REPEATS	3

enum lock_pass {
	LOCK_DENY,		/* RETRY behind the instruction */
	LOCK_CONTINUE,
	LOCK_REPEAT,		/* RETRY, then again, then it is opened */
	LOCK_OPEN,		/* not locked, no event */
};

struct lock {
	struct qemu qemu;
	struct kvmi_listener *listener;
	struct kvmi_vm *vm;
	uint64_t box;		/* its gpa */
	uint32_t flags;		/* STORE_QUIET */
	uint32_t turn;
	struct store_target targets[STORE_CPUS][STORE_TARGETS];
	struct pages pages;	/* what is to be locked, the text first */
	size_t ntext;
	unsigned int told;	/* events of the store in question */
	unsigned int beside;	/* of the other vCPU's */
	unsigned int strange;	/* of the guest's own stores */
};

/* Starts the guest, switches the event on, and finds what is to be locked. */
void lock_open(struct lock *lock);
void lock_close(struct lock *lock);
/* Locks the kernel's text and the page of this target, and nothing else. */
void lock_only(struct lock *lock, int cpu, int target);
/* Locks the kernel's text and all page tables that the vCPUs use. */
void lock_tables(struct lock *lock);
void lock_none(struct lock *lock);
/* From now on both vCPUs do nothing but stores; or everything again. */
void lock_quiet(struct lock *lock, bool quiet);
/* One step. */
void lock_step(struct lock *lock, enum lock_pass pass, int cpu, int target,
	       int kind);

/*
 * Every kind to every target by every vCPU: denied; or let go, then open, of
 * those kinds that KVM's emulator knows, or of the others; or these three to
 * text and to a table, with all tables locked.
 */
void lock_deny_all(struct lock *lock);
void lock_continue_all(struct lock *lock, bool emulated);
void lock_tables_all(struct lock *lock, bool emulated);
/* An exception whose frame goes to a locked stack, or data, each vCPU. */
void lock_trap_all(struct lock *lock, enum lock_pass pass);

/* For the steps: a part of the box, a request, whether the guest is done. */
void lock_read_box(struct lock *lock, size_t at, void *data, size_t size);
#define lock_read(lock, member, into) \
	lock_read_box(lock, offsetof(struct store_box, member), into, \
		      sizeof(*(into)))
void lock_request(struct lock *lock, struct store_request *request);
bool lock_is_over(struct lock *lock);

#endif /* TESTS_LIB_LOCK_H */
