/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Failures: which command, of which vCPU, and why. */
#ifndef KVMI_NATIVE_FAILURE_H
#define KVMI_NATIVE_FAILURE_H

#include <pthread.h>

#include <kvmi/kvmi.h>

/* Of a vCPU or an event. */
#define FAILURE_NONE (-1)
/* Threads whose last failure is kept. */
#define FAILURES_MAX 64

/* What was tried. */
struct failure {
	unsigned int command;
	int vcpu;		/* FAILURE_NONE: none */
	int event;		/* that was answered; FAILURE_NONE: none */
	uint64_t gpa;		/* UINT64_MAX: none */
};

struct failures {
	pthread_mutex_t lock;
	unsigned int next;	/* to be overwritten */
	struct {
		int thread;	/* 0: none */
		int err;
		struct failure what;
	} list[FAILURES_MAX];
};

void failures_init(struct failures *failures);
void failures_uninit(struct failures *failures);
/* Notes it for this thread. Returns @err; 0 is no failure. */
int failures_note(struct failures *failures, int err, struct failure what);

/* The vCPU that a request names, or FAILURE_NONE. */
int failure_vcpu(unsigned int id, const void *request, size_t size);
struct failure failure_of(unsigned int id, const void *request, size_t size);
/* Fills error->size bytes. Errors: -EINVAL. */
int failure_tell(const struct failure *what, int err, struct kvmi_error *error);

#endif
