// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands that nobody waits for: submitted, and their answers taken later, in
 * the order in which they came.
 */
#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "failure.h"
#include "vm.h"

struct kvmi_reply {
	struct kvmi_reply *next;
	int vcpu;		/* -1: about the VM */
	struct call call;
};

static struct kvmi_reply *reply_of(struct call *call)
{
	return (void *)((uint8_t *)call - offsetof(struct kvmi_reply, call));
}

int reply_grow(struct call *call, size_t size)
{
	call->reply = malloc(size);
	call->reply_room = call->reply ? size : 0;
	return call->reply ? 0 : -ENOMEM;
}

void reply_queue(struct channel *ch, struct call *call)
{
	struct kvmi_reply *reply = reply_of(call);

	reply->next = NULL;
	*ch->replies_tail = reply;
	ch->replies_tail = &reply->next;
	channel_add_untaken(ch);
}

void reply_fail_all(struct channel *ch, int err)
{
	struct call **link = &ch->calls;
	struct call *call;

	while ((call = *link)) {
		if (!call->is_submitted) {
			link = &call->next;
			continue;
		}
		*link = call->next;
		call->err = err;
		call->done = true;
		reply_queue(ch, call);
	}
	ch->calls_tail = link;
}

/* With lock held. */
static struct kvmi_reply *take_reply(struct channel *ch)
{
	struct kvmi_reply *reply = ch->replies;

	ch->replies = reply->next;
	if (!ch->replies)
		ch->replies_tail = &ch->replies;
	ch->submitted_count--;
	channel_drop_untaken(ch);
	return reply;
}

void reply_free_all(struct channel *ch)
{
	while (ch->replies)
		kvmi_reply_free(take_reply(ch));
}

static struct kvmi_reply *create_reply(unsigned int id, const void *request,
				       size_t size)
{
	struct kvmi_reply *reply = calloc(1, sizeof(*reply));

	if (!reply)
		return NULL;
	reply->call.hdr.id = (uint16_t)id;
	reply->call.hdr.size = (uint16_t)size;
	reply->call.is_submitted = true;
	reply->vcpu = failure_vcpu(id, request, size);
	return reply;
}

/* Both are the channel's on success. */
static int enqueue(struct channel *ch, struct kvmi_reply *reply,
		   struct packet *packet, uint32_t *seq)
{
	int err = 0;

	pthread_mutex_lock(&ch->lock);
	if (ch->submitted_count == KVMI_SUBMITTED_MAX)
		err = ch->end ? ch->end : -EAGAIN;
	if (!err)
		err = channel_enlist(ch, &reply->call, 1);
	if (!err) {
		memcpy(packet->bytes, &reply->call.hdr,
		       sizeof(reply->call.hdr));
		packet_queue(ch, packet);
		ch->submitted_count++;
		if (seq)
			*seq = reply->call.hdr.seq;
	}
	pthread_mutex_unlock(&ch->lock);
	return err;
}

int kvmi_vm_submit(struct kvmi_vm *vm, unsigned int id, const void *request,
		   size_t size, uint32_t *seq)
{
	const struct failure what = failure_of(id, request, size);
	const struct kvmi_msg_hdr no_hdr = { 0 };
	const struct iovec iov[] = {
		{ (void *)&no_hdr, sizeof(no_hdr) },
		{ (void *)request, size },
	};
	struct kvmi_reply *reply;
	struct packet *packet;
	int err = -ENOMEM;

	if (id <= KVMI_VCPU_EVENT || id > UINT16_MAX ||
	    size > KVMI_MAX_MSG_SIZE)
		return vm_fail(vm, -EINVAL, what);

	reply = create_reply(id, request, size);
	packet = packet_create(iov, 2);
	if (reply && packet)
		err = enqueue(&vm->channel, reply, packet, seq);
	if (err) {
		free(reply);
		free(packet);
		return vm_fail(vm, err, what);
	}
	channel_flush(&vm->channel);
	return 0;
}

int kvmi_vm_pump(struct kvmi_vm *vm)
{
	struct channel *ch = &vm->channel;
	int r;

	channel_flush(ch);
	pthread_mutex_lock(&ch->lock);
	channel_pump(ch);
	r = (ch->events ? KVMI_PUMP_EVENT : 0) |
	    (ch->replies ? KVMI_PUMP_REPLY : 0);
	if (!r)
		r = ch->end;
	pthread_mutex_unlock(&ch->lock);
	return r;
}

static bool has_reply(const struct channel *ch, const void *arg)
{
	(void)arg;
	return ch->replies;
}

int kvmi_vm_next_reply(struct kvmi_vm *vm, int timeout,
		       struct kvmi_reply **reply)
{
	int64_t deadline = clock_deadline(timeout);
	struct channel *ch = &vm->channel;
	int err;

	channel_flush(ch);
	pthread_mutex_lock(&ch->lock);
	err = channel_wait(ch, has_reply, NULL, deadline);
	if (!err)
		*reply = take_reply(ch);
	pthread_mutex_unlock(&ch->lock);

	return err == -ETIMEDOUT && !timeout ? -EAGAIN : err;
}

uint32_t kvmi_reply_get_seq(const struct kvmi_reply *reply)
{
	return reply->call.hdr.seq;
}

int kvmi_reply_get_error(const struct kvmi_reply *reply,
			 struct kvmi_error *error)
{
	const struct failure what = {
		.command = reply->call.hdr.id,
		.vcpu = reply->vcpu,
		.event = -1,
		.gpa = UINT64_MAX,
	};

	if (error)
		failure_tell(&what, reply->call.err, error);
	return reply->call.err;
}

const void *kvmi_reply_get_data(const struct kvmi_reply *reply, size_t *size)
{
	*size = reply->call.err ? 0 : reply->call.reply_size;
	return reply->call.reply;
}

void kvmi_reply_free(struct kvmi_reply *reply)
{
	if (!reply)
		return;
	free(reply->call.reply);
	free(reply);
}
