// SPDX-License-Identifier: LGPL-2.1-or-later
/* The queue of events, as the program sees it. */
#include <errno.h>

#include "domain.h"

/* With lock held. */
static int wait_for_event(struct domain *dom, int64_t deadline)
{
	struct timespec ts = clock_timespec(deadline);
	int err = 0;

	while (!dom->events) {
		if (dom->end)
			return dom->end;
		if (err)
			return err;
		err = -pthread_cond_clockwait(&dom->changed, &dom->lock,
					      CLOCK_MONOTONIC, &ts);
	}
	return 0;
}

int kvmi_wait_event(void *d, kvmi_timeout_t ms)
{
	int64_t deadline = clock_deadline(ms);
	struct domain *dom = d;
	int err;

	err = domain_watch(dom);
	if (err)
		return result(__func__, NO_VCPU, err);
	domain_sweep(dom);

	pthread_mutex_lock(&dom->lock);
	err = wait_for_event(dom, deadline);
	pthread_mutex_unlock(&dom->lock);
	return result_quietly(err);
}

/* With lock held. */
static struct kvmi_dom_event *take(struct domain *dom)
{
	struct kvmi_dom_event *e = dom->events;

	if (!e)
		return NULL;
	dom->events = e->next;
	if (!dom->events)
		dom->last = NULL;
	dom->event_count--;
	e->next = NULL;
	return e;
}

int kvmi_pop_event(void *d, struct kvmi_dom_event **event)
{
	struct domain *dom = d;
	int err = 0;

	domain_sweep(dom);
	pthread_mutex_lock(&dom->lock);
	*event = take(dom);
	if (!*event)
		err = dom->end ? dom->end : -ETIMEDOUT;
	pthread_mutex_unlock(&dom->lock);
	return result_quietly(err);
}

size_t kvmi_get_pending_events(void *d)
{
	struct domain *dom = d;
	size_t count;

	domain_sweep(dom);
	pthread_mutex_lock(&dom->lock);
	count = dom->event_count;
	pthread_mutex_unlock(&dom->lock);
	return count;
}
