/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session: one VM, its channel and what is known about both. */
#ifndef KVMI_NATIVE_VM_H
#define KVMI_NATIVE_VM_H

#include "channel.h"
#include "failure.h"
#include "handshake.h"
#include "options.h"
#include "shared.h"

struct start;

struct kvmi_vm {
	struct options opts;
	struct hello hello;
	uint32_t features;	/* KVMI_FEATURE_ in force */
	struct shared shared;	/* guest memory, or nothing */
	int64_t session_time;	/* s since 1970 */
	int64_t settled_at;	/* until then -EPERM may not be the last word */
	int timeout;		/* of a command, ms; atomic */
	struct failures failures;
	struct start *start;	/* until the session stands, else NULL */
	struct channel channel;
};

/* A session with a copy of @fd, of which nothing is sent yet. */
int vm_create(struct kvmi_vm **vm, int fd, const struct hello *hello,
	      const struct options *opts);
/* Answers a complete hello, without waiting; @fd stays the caller's. */
int vm_begin(struct kvmi_vm **vm, int fd, const struct hello *hello,
	     const struct options *opts);
/*
 * Waits for the rest. -ETIMEDOUT: not yet, it can be called again; after any other
 * error the session has to be closed.
 */
int vm_go_on(struct kvmi_vm *vm, int64_t deadline);
void vm_end_start(struct kvmi_vm *vm);

/*
 * Answers a complete hello and waits for KVM. Owns @fd on success.
 */
int vm_start(struct kvmi_vm **vm, int fd, const struct hello *hello,
	     const struct options *opts);

/* Queues KVMI_OWN_EVENT_RETURN; @before: the start time then. -ENOMEM. */
int vm_tell_return(struct kvmi_vm *vm, enum kvmi_run run, int64_t before);

/* Frees the session of this process; another one that has it goes on. */
void vm_leave(struct kvmi_vm *vm);

/* Milliseconds between two tries of a command that is not allowed yet. */
#define VM_RETRY_MS 5

/* Whether @err may still turn: sleeps a little and returns true. */
bool vm_should_retry(const struct kvmi_vm *vm, int err);
/* Notes what failed for kvmi_vm_get_error(); returns @err, which may be 0. */
int vm_fail(struct kvmi_vm *vm, int err, struct failure what);
int64_t vm_deadline(const struct kvmi_vm *vm);

#endif
