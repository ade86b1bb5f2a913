// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The watcher: a thread of each domain that takes events as they come. A vCPU
 * must not stand because its event is one that the program never asked for, and
 * does not read.
 *
 * It begins with the first command that can bring an event. A program that forks
 * for each VM leaves its domain before that, and the thread must not read what
 * belongs to the other process.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "domain.h"

static void *watch(void *arg)
{
	struct domain *dom = arg;
	struct pollfd pfds[] = {
		{ .fd = kvmi_vm_get_fd(dom->vm), .events = POLLIN },
		{ .fd = dom->stop_fd, .events = POLLIN },
	};
	int err = -EAGAIN;

	while (err == -EAGAIN) {
		if (poll(pfds, 2, -1) < 0)
			continue;
		if (pfds[1].revents)
			break;
		err = domain_sweep(dom);
		/* It may be an answer that another thread is about to read. */
		sched_yield();
	}
	return NULL;
}

/* The program's signals are for its own threads. */
static int start(struct domain *dom)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&dom->thread, NULL, watch, dom);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* -EAGAIN is of vCPUs. */
	return err ? -ENOMEM : 0;
}

int domain_watch(struct domain *dom)
{
	pid_t pid = getpid();
	int err = 0;

	if (__atomic_load_n(&dom->watcher, __ATOMIC_ACQUIRE) == pid)
		return 0;
	pthread_mutex_lock(&dom->lock);
	if (dom->watcher != pid)
		err = start(dom);
	if (!err)
		__atomic_store_n(&dom->watcher, pid, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&dom->lock);
	return err;
}

void domain_unwatch(struct domain *dom)
{
	if (dom->watcher != getpid())
		return;
	eventfd_write(dom->stop_fd, 1);
	pthread_join(dom->thread, NULL);
}
