// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events: from the native queue, in the old form, to the program. */
#include <errno.h>
#include <stdlib.h>

#include "domain.h"
#include "number.h"

void domain_set_enabled(struct domain *dom, unsigned int vcpu, int old,
			bool enable)
{
	uint16_t bit = (uint16_t)(1 << old);

	if (enable)
		__atomic_or_fetch(&dom->enabled[vcpu], bit, __ATOMIC_SEQ_CST);
	else
		__atomic_and_fetch(&dom->enabled[vcpu], (uint16_t)~bit,
				   __ATOMIC_SEQ_CST);
}

bool domain_is_enabled(const struct domain *dom, unsigned int vcpu, int old)
{
	return __atomic_load_n(&dom->enabled[vcpu], __ATOMIC_SEQ_CST) &
	       (1 << old);
}

void domain_let_go(struct domain *dom, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_msr *msr = (const void *)event->data;
	const struct kvmi_vcpu_event_cr *cr = (const void *)event->data;
	int err = 0;

	if (event->id == KVMI_VCPU_EVENT_CR)
		err = kvmi_event_reply_cr(dom->vm, event, cr->new_value);
	else if (event->id == KVMI_VCPU_EVENT_MSR)
		err = kvmi_event_reply_msr(dom->vm, event, msr->new_value);
	else if (event->state)
		err = kvmi_event_reply(dom->vm, event,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	if (err && err != -ECONNRESET)
		say(KVMI_LOG_LEVEL_ERROR, "event %u of vCPU %d has no reply: %s",
		    event->id, kvmi_event_get_vcpu(event), kvmi_strerror(err));
	kvmi_event_free(event);
}

/* Of a call of kvmi_pause_all_vcpus() that failed. */
static bool is_unwanted_pause(struct domain *dom, unsigned int vcpu)
{
	bool is_unwanted;

	pthread_mutex_lock(&dom->lock);
	is_unwanted = dom->unwanted_pauses[vcpu];
	if (is_unwanted)
		dom->unwanted_pauses[vcpu]--;
	pthread_mutex_unlock(&dom->lock);
	return is_unwanted;
}

/* The kernel reports some events that nobody has switched on. */
static bool is_unwanted(struct domain *dom, const struct kvmi_event *event,
			int old)
{
	switch (event->id) {
	case KVMI_VCPU_EVENT_TRAP:
	case KVMI_VCPU_EVENT_XSETBV:
	case KVMI_VCPU_EVENT_HYPERCALL:
	case KVMI_VCPU_EVENT_SINGLESTEP:
		return !domain_is_enabled(dom, event->state->vcpu, old);
	case KVMI_VCPU_EVENT_PAUSE:
		return is_unwanted_pause(dom, event->state->vcpu);
	default:
		return old < 0;
	}
}

static void fill_vcpu(struct kvmi_dom_event *e, const struct kvmi_event *event)
{
	size_t size = sizeof(e->event) - sizeof(e->event.common);

	e->event.common.vcpu = event->state->vcpu;
	memcpy(&e->event.common.arch, &event->state->arch,
	       sizeof(e->event.common.arch));
	/* In the protocol these bytes are padding. */
	e->event.common.arch.view = 0;

	/* The data has the old layout, but there it came without any. */
	if (event->id == KVMI_VCPU_EVENT_XSETBV)
		return;
	memcpy(&e->event.cr, event->data,
	       event->size < size ? event->size : size);
	if (event->id == KVMI_VCPU_EVENT_PF)
		e->event.page_fault.view = 0;
}

static struct kvmi_dom_event *translate(const struct kvmi_event *event, int old)
{
	struct kvmi_dom_event *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->seq = event->seq;
	e->event.common.size = sizeof(e->event.common);
	e->event.common.event = (uint8_t)old;
	if (event->state)
		fill_vcpu(e, event);
	return e;
}

static void append(struct domain *dom, struct kvmi_dom_event *e,
		   struct kvmi_event *event)
{
	pthread_mutex_lock(&dom->lock);
	if (dom->last)
		dom->last->next = e;
	else
		dom->events = e;
	dom->last = e;
	dom->event_count++;
	event->next = dom->waiting;
	dom->waiting = event;
	pthread_cond_broadcast(&dom->changed);
	pthread_mutex_unlock(&dom->lock);
}

static void deliver(struct domain *dom, struct kvmi_event *event)
{
	int old = number_old_event(event->id);
	struct kvmi_dom_event *e;

	if (is_unwanted(dom, event, old)) {
		domain_let_go(dom, event);
		return;
	}
	if (event->id == KVMI_VM_EVENT_UNHOOK)
		say(KVMI_LOG_LEVEL_INFO, "the VM's owner asks to end the session");
	e = translate(event, old);
	if (!e) {
		say(KVMI_LOG_LEVEL_ERROR, "no memory for event %d", old);
		domain_let_go(dom, event);
		return;
	}
	append(dom, e, event);
}

int domain_sweep(struct domain *dom)
{
	struct kvmi_event *event;
	int err;

	pthread_mutex_lock(&dom->take);
	while (!(err = kvmi_vm_next_event(dom->vm, 0, &event)))
		deliver(dom, event);
	pthread_mutex_unlock(&dom->take);

	if (err != -EAGAIN) {
		pthread_mutex_lock(&dom->lock);
		dom->end = err;
		pthread_cond_broadcast(&dom->changed);
		pthread_mutex_unlock(&dom->lock);
	}
	return err;
}

void domain_free_events(struct domain *dom)
{
	struct kvmi_dom_event *e;
	struct kvmi_event *event;

	while ((e = dom->events)) {
		dom->events = e->next;
		free(e);
	}
	while ((event = dom->waiting)) {
		dom->waiting = event->next;
		kvmi_event_free(event);
	}
}
