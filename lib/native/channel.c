// SPDX-License-Identifier: LGPL-2.1-or-later
/* The channel: who waits and who reads. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"

/* Commands given up without an answer before the peer counts as hostile. */
#define LOST_MAX 1024
/* Times that one pump receives. */
#define PUMP_ROUNDS 64

int channel_init(struct channel *ch, int fd, const struct log *log)
{
	ch->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ch->event_fd < 0)
		return -errno;

	ch->fd = fd;
	ch->log = log;
	ch->next_seq = 1;
	ch->calls_tail = &ch->calls;
	ch->events_tail = &ch->events;
	ch->replies_tail = &ch->replies;
	ch->packets_tail = &ch->packets;
	pthread_mutex_init(&ch->send_lock, NULL);
	pthread_mutex_init(&ch->lock, NULL);
	pthread_cond_init(&ch->changed, NULL);
	return 0;
}

/* Nobody waits any more, so what is in the list has been given up. */
static void free_lost_calls(struct channel *ch)
{
	struct call *call;

	while ((call = ch->calls)) {
		ch->calls = call->next;
		free(call);
	}
}

void channel_uninit(struct channel *ch)
{
	close(ch->fd);
	close(ch->event_fd);
	reply_fail_all(ch, -ECONNRESET);
	free_lost_calls(ch);
	event_free_all(ch);
	kvmi_event_free(ch->end_event);
	reply_free_all(ch);
	packet_free_all(ch);
	pthread_cond_destroy(&ch->changed);
	pthread_mutex_destroy(&ch->lock);
	pthread_mutex_destroy(&ch->send_lock);
}

/* Reads for all, with lock held, dropped meanwhile. */
static int be_reader(struct channel *ch, short events, int64_t deadline)
{
	int err;

	ch->is_reading = true;
	pthread_mutex_unlock(&ch->lock);
	err = receive_some(ch, events, deadline);
	pthread_mutex_lock(&ch->lock);
	ch->is_reading = false;

	if (err && err != -ETIMEDOUT)
		channel_end(ch, err);
	pthread_cond_broadcast(&ch->changed);
	return err;
}

static int wait_for_change(struct channel *ch, int64_t deadline)
{
	struct timespec ts = clock_timespec(deadline);

	return -pthread_cond_clockwait(&ch->changed, &ch->lock,
				       CLOCK_MONOTONIC, &ts);
}

int channel_wait(struct channel *ch,
		 bool (*is_ready)(const struct channel *ch, const void *arg),
		 const void *arg, int64_t deadline)
{
	int err = 0;

	while (!is_ready(ch, arg)) {
		if (ch->end)
			return ch->end;
		if (err)
			return err;
		if (ch->is_reading)
			err = wait_for_change(ch, deadline);
		else
			err = be_reader(ch, ch->packets ? POLLIN | POLLOUT :
							  POLLIN, deadline);
		if (ch->packets) {
			pthread_mutex_unlock(&ch->lock);
			channel_flush(ch);
			pthread_mutex_lock(&ch->lock);
		}
	}
	return 0;
}

void channel_pump(struct channel *ch)
{
	int rounds;

	/* A peer that never ceases to talk gets its turn again later. */
	for (rounds = 0; rounds < PUMP_ROUNDS; rounds++)
		if (ch->end || ch->is_reading ||
		    be_reader(ch, POLLIN, clock_deadline(0)))
			break;
}

/*
 * The socket is full. The kernel may be waiting for its answers to be read
 * before it reads on, so read them, unless somebody does so already.
 */
static int wait_for_room(struct channel *ch, int64_t deadline)
{
	struct pollfd pfd = { .fd = ch->fd, .events = POLLOUT };
	bool is_other_reading;
	int err;

	pthread_mutex_lock(&ch->lock);
	err = ch->end;
	is_other_reading = ch->is_reading;
	if (!err && !is_other_reading)
		err = be_reader(ch, POLLIN | POLLOUT, deadline);
	pthread_mutex_unlock(&ch->lock);
	if (err || !is_other_reading)
		return err;

	/* Look again soon: the reader may leave at any time. */
	poll(&pfd, 1, 10);
	return clock_left(deadline) ? 0 : -ETIMEDOUT;
}

static void advance(struct msghdr *msg, size_t bytes)
{
	while (msg->msg_iovlen && bytes >= msg->msg_iov->iov_len) {
		bytes -= msg->msg_iov->iov_len;
		msg->msg_iov++;
		msg->msg_iovlen--;
	}
	if (!msg->msg_iovlen)
		return;
	msg->msg_iov->iov_base = (uint8_t *)msg->msg_iov->iov_base + bytes;
	msg->msg_iov->iov_len -= bytes;
}

/* Those that were submitted before, with send_lock held. */
static int send_packets_first(struct channel *ch, int64_t deadline)
{
	int err;

	do {
		err = packet_send_all(ch);
		if (err != -EAGAIN)
			return err;
		err = wait_for_room(ch, deadline);
	} while (!err);
	return err;
}

static void end_cut(struct channel *ch)
{
	pthread_mutex_lock(&ch->lock);
	channel_end(ch, -ECONNRESET);
	pthread_mutex_unlock(&ch->lock);
}

/* With send_lock held. A message that is cut makes the stream useless. */
static int send_all(struct channel *ch, struct msghdr *msg, int64_t deadline)
{
	int err = send_packets_first(ch, deadline);
	bool is_cut = false;
	ssize_t n;

	while (msg->msg_iovlen && !err) {
		n = sendmsg(ch->fd, msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0) {
			is_cut = true;
			advance(msg, n);
		} else if (errno == EAGAIN) {
			err = wait_for_room(ch, deadline);
		} else if (errno != EINTR) {
			err = -ECONNRESET;
		}
	}
	if (err && is_cut)
		end_cut(ch);
	return err;
}

/* Takes a call out of the list, or puts another one in its place. */
static bool replace_call(struct channel *ch, struct call *call,
			 struct call *other)
{
	struct call **link = &ch->calls;

	while (*link && *link != call)
		link = &(*link)->next;
	if (!*link)
		return false;

	*link = other ? other : call->next;
	if (!call->next)
		ch->calls_tail = other ? &other->next : link;
	return true;
}

/* The answer may still come: leaves a copy that will swallow it. */
static void give_up(struct channel *ch, struct call *call)
{
	struct call *lost;

	if (call->done)
		return;
	lost = ch->end ? NULL : malloc(sizeof(*lost));
	if (lost) {
		*lost = *call;
		lost->is_lost = true;
		lost->reply_room = 0;
	}
	replace_call(ch, call, lost);

	if (!lost)
		channel_end(ch, -ENOMEM);
	else if (++ch->lost_count > LOST_MAX)
		channel_end(ch, -EPROTO);
}

int channel_enlist(struct channel *ch, struct call *calls, size_t count)
{
	size_t i;

	if (ch->end)
		return ch->end;
	for (i = 0; i < count; i++) {
		calls[i].hdr.seq = ch->next_seq++;
		calls[i].done = false;
		calls[i].next = NULL;
		*ch->calls_tail = &calls[i];
		ch->calls_tail = &calls[i].next;
	}
	return 0;
}

/* Nothing was sent, or the session has ended: no answer will come. */
static void delist(struct channel *ch, struct call *calls, size_t count)
{
	size_t i;

	pthread_mutex_lock(&ch->lock);
	for (i = 0; i < count; i++)
		replace_call(ch, &calls[i], NULL);
	pthread_mutex_unlock(&ch->lock);
}

static size_t gather(struct call *calls, size_t count, struct iovec *iov)
{
	size_t i, n = 0;
	int j;

	for (i = 0; i < count; i++) {
		iov[n].iov_base = &calls[i].hdr;
		iov[n++].iov_len = sizeof(calls[i].hdr);
		for (j = 0; j < 2; j++)
			if (calls[i].body[j].iov_len)
				iov[n++] = calls[i].body[j];
	}
	return n;
}

int channel_start(struct channel *ch, struct call *calls, size_t count,
		  int64_t deadline)
{
	struct timespec ts = clock_timespec(deadline);
	struct iovec iov[3 * CHANNEL_BATCH];
	struct msghdr msg = { .msg_iov = iov };
	int err;

	if (pthread_mutex_clocklock(&ch->send_lock, CLOCK_MONOTONIC, &ts))
		return -ETIMEDOUT;

	pthread_mutex_lock(&ch->lock);
	err = channel_enlist(ch, calls, count);
	pthread_mutex_unlock(&ch->lock);
	if (!err) {
		msg.msg_iovlen = gather(calls, count, iov);
		err = send_all(ch, &msg, deadline);
		if (err)
			delist(ch, calls, count);
	}

	pthread_mutex_unlock(&ch->send_lock);
	/* Who submitted meanwhile relies on it. */
	channel_flush(ch);
	return err;
}

static bool is_done(const struct channel *ch, const void *arg)
{
	const struct call *call = arg;

	(void)ch;
	return call->done;
}

int channel_finish(struct channel *ch, struct call *calls, size_t count,
		   int64_t deadline)
{
	int err = 0;
	size_t i;

	pthread_mutex_lock(&ch->lock);
	for (i = 0; i < count && !err; i++)
		err = channel_wait(ch, is_done, &calls[i], deadline);
	for (i = 0; i < count; i++)
		give_up(ch, &calls[i]);
	pthread_mutex_unlock(&ch->lock);
	return err;
}

/*
 * 0 for a packet that was sent, or that waits: who got it may have ended the
 * session since, and it was sent all the same.
 */
static int check_sent(struct channel *ch, uint64_t number)
{
	int err;

	pthread_mutex_lock(&ch->lock);
	err = ch->sent >= number ? 0 : ch->end;
	pthread_mutex_unlock(&ch->lock);
	return err;
}

int channel_send(struct channel *ch, const struct iovec *iov, size_t count)
{
	struct packet *packet = packet_create(iov, count);
	uint64_t number;
	int err;

	if (!packet)
		return -ENOMEM;
	pthread_mutex_lock(&ch->lock);
	err = ch->end;
	if (!err)
		packet_queue(ch, packet);
	number = ch->queued;
	pthread_mutex_unlock(&ch->lock);
	if (err) {
		free(packet);
		return err;
	}

	channel_flush(ch);
	err = check_sent(ch, number);
	if (err) {
		/* Who sends now may not have counted it yet. */
		pthread_mutex_lock(&ch->send_lock);
		pthread_mutex_unlock(&ch->send_lock);
		err = check_sent(ch, number);
	}
	return err;
}
