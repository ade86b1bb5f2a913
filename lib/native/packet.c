// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Packets: submitted commands and replies to events on their way out. Nobody waits
 * for the socket to take them; who sends next, or finds the socket ready, sends
 * them first.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "channel.h"

struct packet *packet_create(const struct iovec *iov, size_t count)
{
	struct packet *packet;
	size_t i, size = 0;

	for (i = 0; i < count; i++)
		size += iov[i].iov_len;
	packet = malloc(sizeof(*packet) + size);
	if (!packet)
		return NULL;
	packet->next = NULL;
	packet->sent = 0;
	packet->size = 0;
	for (i = 0; i < count; i++) {
		if (iov[i].iov_len)
			memcpy(packet->bytes + packet->size, iov[i].iov_base,
			       iov[i].iov_len);
		packet->size += iov[i].iov_len;
	}
	return packet;
}

void packet_queue(struct channel *ch, struct packet *packet)
{
	*ch->packets_tail = packet;
	ch->packets_tail = &packet->next;
	ch->queued++;
}

/* With lock held. */
static void free_first(struct channel *ch)
{
	struct packet *packet = ch->packets;

	ch->packets = packet->next;
	if (!ch->packets)
		ch->packets_tail = &ch->packets;
	free(packet);
}

void packet_free_all(struct channel *ch)
{
	while (ch->packets)
		free_first(ch);
}

static struct packet *find_first(struct channel *ch)
{
	struct packet *packet;

	pthread_mutex_lock(&ch->lock);
	packet = ch->packets;
	pthread_mutex_unlock(&ch->lock);
	return packet;
}

/* The first one stays where it is: only who has send_lock takes it out. */
int packet_send_all(struct channel *ch)
{
	struct packet *packet;
	ssize_t n;

	while ((packet = find_first(ch))) {
		n = send(ch->fd, packet->bytes + packet->sent,
			 packet->size - packet->sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -EAGAIN : -ECONNRESET;
		packet->sent += (size_t)n;
		if (packet->sent < packet->size)
			continue;
		pthread_mutex_lock(&ch->lock);
		free_first(ch);
		ch->sent++;
		pthread_mutex_unlock(&ch->lock);
	}
	return 0;
}

/* Has those who poll wake up when the socket takes more, with lock held. */
static void watch_room(struct channel *ch)
{
	struct epoll_event ev = {
		.events = ch->packets ? EPOLLIN | EPOLLOUT : EPOLLIN,
		.data.fd = ch->fd,
	};

	if (ch->is_room_watched == !!ch->packets)
		return;
	ch->is_room_watched = ch->packets;
	epoll_ctl(ch->epoll_fd, EPOLL_CTL_MOD, ch->fd, &ev);
}

/* With lock held. Whether there may be more to send than was seen. */
static bool settle(struct channel *ch, int err)
{
	if (err && err != -EAGAIN)
		channel_end(ch, err);
	watch_room(ch);
	return ch->packets && !err;
}

void channel_flush(struct channel *ch)
{
	bool is_more;
	int err;

	pthread_mutex_lock(&ch->lock);
	is_more = !ch->end && (ch->packets || ch->is_room_watched);
	pthread_mutex_unlock(&ch->lock);

	while (is_more) {
		/* Who has it flushes afterwards. */
		if (pthread_mutex_trylock(&ch->send_lock))
			return;
		err = packet_send_all(ch);
		pthread_mutex_unlock(&ch->send_lock);
		pthread_mutex_lock(&ch->lock);
		is_more = settle(ch, err);
		pthread_mutex_unlock(&ch->lock);
	}
}
