// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events: kept from their arrival until somebody takes them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "event.h"
#include "kind.h"
#include "vm.h"

/*
 * A vCPU waits for the answer to its event, so no honest kernel has more
 * events than vCPUs (and pauses) outstanding.
 */
#define EVENTS_MAX 65536

void channel_add_untaken(struct channel *ch)
{
	if (!ch->untaken_count++)
		eventfd_write(ch->event_fd, 1);
}

void channel_drop_untaken(struct channel *ch)
{
	eventfd_t ignored;

	if (!--ch->untaken_count)
		eventfd_read(ch->event_fd, &ignored);
}

/*
 * The kernel answers to the reply of an event only if the vCPU cannot take it,
 * as when it was reset meanwhile. Nobody waits for that.
 */
static bool is_refusal(struct channel *ch, const struct kvmi_msg_hdr *hdr,
		       const uint8_t *body)
{
	struct kvmi_error_code code;

	if (hdr->id != KVMI_VCPU_EVENT || hdr->size != sizeof(code))
		return false;
	memcpy(&code, body, sizeof(code));
	if (code.err >= 0)
		return false;

	log_say(ch->log, KVMI_LOG_ERROR, "reply to event %u was refused: %s",
		hdr->seq, kvmi_strerror(error_from_wire(code.err)));
	return true;
}

/* The common part grows with newer kernels, and says how large it is. */
static int split_vcpu_event(struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = (const void *)event->body;

	if (event->size < sizeof(*state) || state->size < sizeof(*state) ||
	    state->size > event->size || state->size % sizeof(uint64_t))
		return -EPROTO;

	event->state = state;
	event->data += state->size;
	event->size -= state->size;
	return 0;
}

static int check_event(struct kvmi_event *event, unsigned int message)
{
	const struct event_kind *kind = event_kind_find(event->id);
	bool is_vcpu = message == KVMI_VCPU_EVENT;
	int err = is_vcpu ? split_vcpu_event(event) : 0;

	if (err)
		return err;
	if (kind && (kind->is_vcpu != is_vcpu || event->size < kind->data))
		return -EPROTO;
	return 0;
}

static struct kvmi_event *create_event(const struct kvmi_msg_hdr *hdr,
				       const uint8_t *body)
{
	struct kvmi_event_hdr head;
	struct kvmi_event *event;

	event = malloc(sizeof(*event) + hdr->size - sizeof(head));
	if (!event)
		return NULL;

	memcpy(&head, body, sizeof(head));
	*event = (struct kvmi_event){
		.seq = hdr->seq,
		.id = head.event,
		.data = event->body,
		.size = hdr->size - sizeof(head),
	};
	memcpy(event->body, body + sizeof(head), event->size);
	return event;
}

void event_append(struct channel *ch, struct kvmi_event *event)
{
	*ch->events_tail = event;
	ch->events_tail = &event->next;
	ch->event_count++;
	channel_add_untaken(ch);
}

int event_queue(struct channel *ch, const struct kvmi_msg_hdr *hdr,
		const uint8_t *body)
{
	struct kvmi_event *event;

	if (is_refusal(ch, hdr, body))
		return 0;
	if (hdr->size < sizeof(struct kvmi_event_hdr) ||
	    ch->event_count == EVENTS_MAX) {
		log_say(ch->log, KVMI_LOG_ERROR, "event of %u bytes, %u kept",
			hdr->size, ch->event_count);
		return -EPROTO;
	}
	event = create_event(hdr, body);
	if (!event)
		return -ENOMEM;
	if (check_event(event, hdr->id)) {
		log_say(ch->log, KVMI_LOG_ERROR,
			"event %u of %u bytes is malformed", event->id,
			hdr->size);
		free(event);
		return -EPROTO;
	}

	ch->is_unhooking |= event->id == KVMI_VM_EVENT_UNHOOK;
	event_append(ch, event);
	return 0;
}

/* With lock held. */
static struct kvmi_event *take_event(struct channel *ch)
{
	struct kvmi_event *event = ch->events;

	ch->events = event->next;
	if (!ch->events)
		ch->events_tail = &ch->events;
	ch->event_count--;
	channel_drop_untaken(ch);
	return event;
}

void event_free_all(struct channel *ch)
{
	while (ch->events)
		kvmi_event_free(take_event(ch));
}

struct kvmi_event *event_create_own(enum kvmi_own_event id, const void *data,
				    size_t size)
{
	struct kvmi_event *event = malloc(sizeof(*event) + size);

	if (!event)
		return NULL;
	*event = (struct kvmi_event){
		.id = id,
		.data = event->body,
		.size = size,
	};
	memcpy(event->body, data, size);
	return event;
}

void event_prepend(struct channel *ch, struct kvmi_event *event)
{
	pthread_mutex_lock(&ch->lock);
	event->next = ch->events;
	ch->events = event;
	if (!event->next)
		ch->events_tail = &event->next;
	ch->event_count++;
	channel_add_untaken(ch);
	pthread_mutex_unlock(&ch->lock);
}

void event_tell_end(struct channel *ch)
{
	const struct kvmi_own_event_end end = { .end = channel_how(ch) };
	struct kvmi_event *event = ch->end_event;

	if (!event)
		return;
	ch->end_event = NULL;
	memcpy(event->body, &end, sizeof(end));
	event_append(ch, event);
}

static bool has_event(const struct channel *ch, const void *arg)
{
	(void)arg;
	return ch->events;
}

int kvmi_vm_next_event(struct kvmi_vm *vm, int timeout,
		       struct kvmi_event **event)
{
	int64_t deadline = clock_deadline(timeout);
	struct channel *ch = &vm->channel;
	int err;

	pthread_mutex_lock(&ch->lock);
	err = channel_wait(ch, has_event, NULL, deadline);
	if (!err)
		*event = take_event(ch);
	pthread_mutex_unlock(&ch->lock);

	return err == -ETIMEDOUT && !timeout ? -EAGAIN : err;
}

unsigned int kvmi_event_get_id(const struct kvmi_event *event)
{
	return event->id;
}

uint32_t kvmi_event_get_seq(const struct kvmi_event *event)
{
	return event->seq;
}

int kvmi_event_get_vcpu(const struct kvmi_event *event)
{
	return event->state ? event->state->vcpu : -ENOENT;
}

const struct kvmi_vcpu_event *
kvmi_event_get_state(const struct kvmi_event *event)
{
	return event->state;
}

const void *kvmi_event_get_data(const struct kvmi_event *event, size_t *size)
{
	*size = event->size;
	return event->data;
}

void kvmi_event_free(struct kvmi_event *event)
{
	free(event);
}
