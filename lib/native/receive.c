// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Receiving: bytes from the socket, messages out of bytes, each to whom it
 * belongs. Whatever the peer sends is checked here; a breach ends the session.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "channel.h"
#include "clock.h"

static struct call *take_call(struct channel *ch, uint32_t seq)
{
	struct call **link = &ch->calls;
	struct call *call;

	while (*link && (*link)->hdr.seq != seq)
		link = &(*link)->next;

	call = *link;
	if (!call)
		return NULL;
	*link = call->next;
	if (!*link)
		ch->calls_tail = link;
	return call;
}

static int read_answer(struct call *call, const struct kvmi_msg_hdr *hdr,
		       const uint8_t *body)
{
	struct kvmi_error_code code;

	if (hdr->id != call->hdr.id || hdr->size < sizeof(code))
		return -EPROTO;
	memcpy(&code, body, sizeof(code));
	if (code.err > 0)
		return -EPROTO;
	if (code.err && hdr->size != sizeof(code))
		return -EPROTO;

	call->err = error_from_wire(code.err);
	call->reply_size = hdr->size - sizeof(code);
	if (call->reply_size && call->reply_room)
		memcpy(call->reply, body + sizeof(code),
		       call->reply_size < call->reply_room ?
		       call->reply_size : call->reply_room);
	return 0;
}

static int hand_out_answer(struct channel *ch, const struct kvmi_msg_hdr *hdr,
			   const uint8_t *body)
{
	struct call *call = take_call(ch, hdr->seq);
	int err;

	if (!call) {
		log_say(ch->log, KVMI_LOG_ERROR,
			"answer %u with seq %u that no command had", hdr->id,
			hdr->seq);
		return -EPROTO;
	}

	err = call->is_submitted ? reply_grow(call, hdr->size) : 0;
	if (!err)
		err = read_answer(call, hdr, body);
	if (call->is_lost) {
		ch->lost_count--;
		free(call);
		return err;
	}
	if (err) {
		log_say(ch->log, KVMI_LOG_ERROR,
			"answer %u of %u bytes to command %u is malformed",
			hdr->id, hdr->size, call->hdr.id);
		call->err = err;
	}
	call->done = true;
	if (call->is_submitted)
		reply_queue(ch, call);
	return err;
}

static int hand_out(struct channel *ch, const struct kvmi_msg_hdr *hdr,
		    const uint8_t *body)
{
	if (hdr->id == KVMI_VM_EVENT || hdr->id == KVMI_VCPU_EVENT)
		return event_queue(ch, hdr, body);
	return hand_out_answer(ch, hdr, body);
}

/* Hands out all whole messages; what is left begins the next one. */
static int parse(struct channel *ch)
{
	struct kvmi_msg_hdr hdr;
	size_t pos = 0;
	int err = 0;

	while (!err && ch->fill - pos >= sizeof(hdr)) {
		memcpy(&hdr, ch->buffer + pos, sizeof(hdr));
		if (hdr.size > KVMI_MAX_MSG_SIZE) {
			log_say(ch->log, KVMI_LOG_ERROR,
				"message %u of %u bytes is too large", hdr.id,
				hdr.size);
			return -EPROTO;
		}
		if (ch->fill - pos < sizeof(hdr) + hdr.size)
			break;
		err = hand_out(ch, &hdr, ch->buffer + pos + sizeof(hdr));
		pos += sizeof(hdr) + hdr.size;
	}

	ch->fill -= pos;
	memmove(ch->buffer, ch->buffer + pos, ch->fill);
	return err;
}

int receive_some(struct channel *ch, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = ch->fd, .events = events };
	ssize_t n;
	int err;

	n = poll(&pfd, 1, clock_left(deadline));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return -ETIMEDOUT;

	n = recv(ch->fd, ch->buffer + ch->fill, sizeof(ch->buffer) - ch->fill,
		 MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ECONNRESET;

	ch->fill += n;
	pthread_mutex_lock(&ch->lock);
	err = parse(ch);
	pthread_mutex_unlock(&ch->lock);
	return err;
}
