// SPDX-License-Identifier: LGPL-2.1-or-later
/* Replies: the program names an event by its seq. */
#include <errno.h>

#include "domain.h"
#include "number.h"

/* What the program sends. The tail of a page fault is the longest. */
struct reply {
	struct kvmi_v1_vcpu_hdr vcpu;
	struct kvmi_event_reply reply;
	union {
		uint64_t new_val;
		struct kvmi_event_pf_reply pf;
	};
};

#define HEAD_SIZE offsetof(struct reply, pf)

static struct kvmi_event *take(struct domain *dom, uint32_t seq)
{
	struct kvmi_event **link = &dom->waiting;
	struct kvmi_event *event;

	pthread_mutex_lock(&dom->lock);
	while (*link && (*link)->seq != seq)
		link = &(*link)->next;
	event = *link;
	if (event)
		*link = event->next;
	pthread_mutex_unlock(&dom->lock);
	return event;
}

static void put_back(struct domain *dom, struct kvmi_event *event)
{
	pthread_mutex_lock(&dom->lock);
	event->next = dom->waiting;
	dom->waiting = event;
	pthread_mutex_unlock(&dom->lock);
}

/* The instruction's data would have to go to the kernel's emulator. */
static int refuse_context(void)
{
	static bool said;

	if (!__atomic_exchange_n(&said, true, __ATOMIC_RELAXED))
		say(KVMI_LOG_LEVEL_WARNING,
		    "no data can be given to an instruction; it goes on without");
	return -EOPNOTSUPP;
}

/* The vCPU goes on whatever happens: a program does not reply twice. */
static int reply_pf(struct domain *dom, struct kvmi_event *event,
		    const struct reply *r)
{
	uint8_t action = r->reply.action;
	int err = 0, late;

	if (r->pf.ctx_size) {
		action = KVMI_EVENT_ACTION_CONTINUE;
		err = refuse_context();
	}
	if (r->pf.singlestep) {
		late = kvmi_vcpu_control_singlestep(dom->vm,
						    event->state->vcpu, true);
		err = err ? err : late;
	}
	late = kvmi_event_reply(dom->vm, event, action, NULL, 0);
	return late ? late : err;
}

static int reply(struct domain *dom, struct kvmi_event *event,
		 const struct reply *r, size_t size)
{
	const void *data = NULL;
	size_t tail = 0;

	/* Of the VM; the old library did not mind. */
	if (!event->state)
		return 0;
	if (size < HEAD_SIZE || r->vcpu.vcpu != event->state->vcpu ||
	    r->reply.event != number_old_event(event->id))
		return -EINVAL;
	if (event->id == KVMI_VCPU_EVENT_PF)
		return reply_pf(dom, event, r);

	/* The kernel would end the session over one byte too many. */
	if ((event->id == KVMI_VCPU_EVENT_CR ||
	     event->id == KVMI_VCPU_EVENT_MSR) &&
	    size >= HEAD_SIZE + sizeof(r->new_val)) {
		data = &r->new_val;
		tail = sizeof(r->new_val);
	}
	return kvmi_event_reply(dom->vm, event, r->reply.action, data, tail);
}

int domain_reply(struct domain *dom, uint32_t seq, const void *data,
		 size_t size)
{
	struct kvmi_event *event = take(dom, seq);
	struct reply r = { 0 };
	int err;

	if (!event)
		return -EINVAL;
	if (size)
		memcpy(&r, data, size < sizeof(r) ? size : sizeof(r));
	err = reply(dom, event, &r, size);
	if (err && event->state && !event->is_answered)
		put_back(dom, event);
	else
		kvmi_event_free(event);
	return err;
}

int kvmi_reply_event(void *dom, unsigned int msg_seq, const void *data,
		     size_t data_size)
{
	return result(__func__, NO_VCPU,
		      domain_reply(dom, msg_seq, data, data_size));
}
