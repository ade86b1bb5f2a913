/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A domain: a session of the native library, the queue of its events and those
 * that have no reply yet.
 *
 * Locks, in the order in which they are taken:
 *	take	one thread moves events from the native queue to this one, so
 *		that they keep their order
 *	lock	the fields below it
 */
#ifndef KVMI_COMPAT_DOMAIN_H
#define KVMI_COMPAT_DOMAIN_H

#include <pthread.h>
#include <sys/types.h>

#include "say.h"

/* First in each object that the program has: one client closes the wrong one. */
enum object {
	OBJECT_DOMAIN = 0x6d6f64,
	OBJECT_CONTEXT = 0x787463,
};

#define VCPUS_MAX 65536

struct domain {
	enum object object;
	struct kvmi_vm *vm;
	struct kvmi_get_version_reply version;
	int stop_fd;		/* ends the watcher */
	pthread_mutex_t take;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	pid_t watcher;		/* process whose thread watches, or 0 */
	pthread_t thread;
	int end;		/* error that ended the session, or 0 */
	size_t event_count;
	struct kvmi_dom_event *events;	/* oldest first */
	struct kvmi_dom_event *last;
	struct kvmi_event *waiting;	/* without reply */
	uint16_t unwanted_pauses[VCPUS_MAX];
	uint16_t enabled[VCPUS_MAX];	/* atomic; bits by old number of event */
};

/* Owns @vm on success. */
int domain_create(struct domain **dom, struct kvmi_vm *vm);
void domain_close(struct domain *dom, bool do_shutdown);

/* Makes sure that events are taken from now on, whatever the program does. */
int domain_watch(struct domain *dom);
void domain_unwatch(struct domain *dom);

/* Takes what has arrived. -EAGAIN: that was all, else the session has ended. */
int domain_sweep(struct domain *dom);
void domain_free_events(struct domain *dom);
/* Lets the vCPU go on as if nobody had asked for the event; frees it. */
void domain_let_go(struct domain *dom, struct kvmi_event *event);

void domain_set_enabled(struct domain *dom, unsigned int vcpu, int old,
			bool enable);
bool domain_is_enabled(const struct domain *dom, unsigned int vcpu, int old);

/* kvmi_reply_event() without its log and errno. */
int domain_reply(struct domain *dom, uint32_t seq, const void *data,
		 size_t size);

#endif
