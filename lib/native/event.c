// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events: kept from their arrival until somebody takes them. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "clock.h"
#include "vm.h"

/*
 * A vCPU waits for the answer to its event, so no honest kernel has more
 * events than vCPUs (and pauses) outstanding.
 */
#define EVENTS_MAX 65536

struct kvmi_event {
	struct kvmi_event *next;
	uint32_t seq;
	uint16_t id;
	size_t size;
	uint8_t data[];
};

int event_queue(struct channel *ch, const struct kvmi_msg_hdr *hdr,
		const uint8_t *body)
{
	struct kvmi_event_hdr head;
	struct kvmi_event *event;

	if (hdr->size < sizeof(head) || ch->event_count == EVENTS_MAX) {
		log_say(ch->log, KVMI_LOG_ERROR, "event of %u bytes, %u kept",
			hdr->size, ch->event_count);
		return -EPROTO;
	}
	event = malloc(sizeof(*event) + hdr->size - sizeof(head));
	if (!event)
		return -ENOMEM;

	memcpy(&head, body, sizeof(head));
	event->next = NULL;
	event->seq = hdr->seq;
	event->id = head.event;
	event->size = hdr->size - sizeof(head);
	memcpy(event->data, body + sizeof(head), event->size);

	*ch->events_tail = event;
	ch->events_tail = &event->next;
	if (!ch->event_count++)
		eventfd_write(ch->event_fd, 1);
	return 0;
}

/* With lock held. */
static struct kvmi_event *take_event(struct channel *ch)
{
	struct kvmi_event *event = ch->events;
	eventfd_t ignored;

	ch->events = event->next;
	if (!ch->events)
		ch->events_tail = &ch->events;
	if (!--ch->event_count)
		eventfd_read(ch->event_fd, &ignored);
	return event;
}

void event_free_all(struct channel *ch)
{
	while (ch->events)
		kvmi_event_free(take_event(ch));
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

const void *kvmi_event_get_data(const struct kvmi_event *event, size_t *size)
{
	*size = event->size;
	return event->data;
}

void kvmi_event_free(struct kvmi_event *event)
{
	free(event);
}
