// SPDX-License-Identifier: LGPL-2.1-or-later
/* Pausing all vCPUs, with the promise that earlier events are in the queue. */
#include <errno.h>

#include "pipeline.h"

/*
 * The answer to a pause means that the vCPU has left the guest, not that it has
 * told why. Its own thread answers this one, and only when it has: the event
 * comes before the answer.
 */
static int add_barrier(struct pipeline *p, unsigned int vcpu)
{
	struct kvmi_v1_vcpu_hdr head = { .vcpu = (uint16_t)vcpu };

	return pipeline_add(p, KVMI_VCPU_GET_INFO,
			    (struct iovec){ &head, sizeof(head) },
			    (struct iovec){ NULL, 0 });
}

/*
 * The barrier's own errors are no failure: a vCPU that never started has no
 * events, and who may not ask has no promise.
 */
static int run(struct domain *dom, struct pipeline *p, unsigned int count)
{
	int err, late;
	size_t i;

	err = pipeline_start(p, dom->vm, p->count);
	late = pipeline_finish(p, dom->vm);
	for (i = 0; i < p->count && !err; i++) {
		if (!p->calls[i].done)
			err = late;
		else if (i < count)
			err = p->calls[i].err;
	}
	return err;
}

/* A program that is told of a failure does not expect the events. */
static void forget(struct domain *dom, const struct pipeline *p,
		   unsigned int count)
{
	unsigned int i;

	pthread_mutex_lock(&dom->lock);
	for (i = 0; i < count && i < p->started; i++)
		if (p->calls[i].done && !p->calls[i].err)
			dom->unwanted_pauses[i]++;
	pthread_mutex_unlock(&dom->lock);
}

static int pause_all(struct domain *dom, unsigned int count)
{
	struct pipeline p = { 0 };
	unsigned int i;
	int err = 0;

	for (i = 0; i < count && !err; i++)
		err = pipeline_add_pause(&p, i);
	for (i = 0; i < count && !err; i++)
		err = add_barrier(&p, i);
	if (!err) {
		/* Nobody gets the events before the outcome is known. */
		pthread_mutex_lock(&dom->take);
		err = run(dom, &p, count);
		if (err)
			forget(dom, &p, count);
		pthread_mutex_unlock(&dom->take);
	}
	pipeline_empty(&p);
	return err;
}

int kvmi_pause_all_vcpus(void *d, unsigned int count)
{
	struct domain *dom = d;
	int err;

	if (count > VCPUS_MAX)
		return result(__func__, NO_VCPU, -EINVAL);
	err = domain_watch(dom);
	if (!err)
		err = pause_all(dom, count);
	domain_sweep(dom);
	return result(__func__, NO_VCPU, err);
}
