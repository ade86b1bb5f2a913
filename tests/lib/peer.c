// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool's end of the socket, raw.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "test.h"

int peer_open(struct peer *peer)
{
	int fds[2];

	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	*peer = (struct peer){ .fd = fds[0] };
	return fds[1];
}

void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
}

int __peer_write(struct peer *peer, const void *bytes, size_t size)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLOUT };
	ssize_t n;

	while (size) {
		if (poll(&p, 1, DEADLINE_MS) == 0)
			return -ETIMEDOUT;
		n = send(peer->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes = (const char *)bytes + n;
			size -= n;
		}
	}
	return 0;
}

void peer_write(struct peer *peer, const void *bytes, size_t size)
{
	expect(0, __peer_write(peer, bytes, size));
}

uint32_t peer_send(struct peer *peer, uint16_t id, const void *body,
		   size_t size)
{
	struct peer_message message = {
		.hdr = { .id = id, .size = size, .seq = ++peer->seq },
	};

	expect_true(size <= sizeof(message.body));
	if (size)
		memcpy(message.body, body, size);
	peer_write(peer, &message, sizeof(message.hdr) + size);
	return peer->seq;
}

static int read_all(struct peer *peer, void *bytes, size_t size)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	uint64_t end = now_ms() + DEADLINE_MS;
	uint64_t now;
	ssize_t n;

	while (size) {
		now = now_ms();
		if (now >= end || poll(&p, 1, end - now) == 0)
			return -ETIMEDOUT;
		n = recv(peer->fd, bytes, size, MSG_DONTWAIT);
		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n > 0) {
			bytes = (char *)bytes + n;
			size -= n;
		}
	}
	return 0;
}

int __peer_receive(struct peer *peer, struct peer_message *message)
{
	int r;

	r = read_all(peer, &message->hdr, sizeof(message->hdr));
	if (r)
		return r;
	expect_true(message->hdr.size <= KVMI_MAX_MSG_SIZE);
	return read_all(peer, message->body, message->hdr.size);
}

void peer_receive(struct peer *peer, struct peer_message *message)
{
	expect(0, __peer_receive(peer, message));
}

/* An error code with the id of an event is none. */
static bool is_event(const struct peer_message *message)
{
	return message->hdr.id == KVMI_VCPU_EVENT &&
	       message->hdr.size >= sizeof(struct kvmi_event_hdr) +
				    sizeof(struct kvmi_vcpu_event);
}

static void copy_event(struct peer_event *event,
		       const struct peer_message *message)
{
	expect_true(is_event(message));
	expect_true(message->hdr.size <= sizeof(event->body));
	event->hdr = message->hdr;
	memcpy(event->body, message->body, message->hdr.size);
}

int __peer_receive_event(struct peer *peer, struct peer_event *event)
{
	struct peer_message message;
	int r;

	if (peer->nevents) {
		*event = peer->events[0];
		memmove(peer->events, peer->events + 1,
			--peer->nevents * sizeof(*event));
		return 0;
	}
	r = __peer_receive(peer, &message);
	if (!r)
		copy_event(event, &message);
	return r;
}

/* The next message that is no vCPU event; those are kept for later. */
static void receive_reply(struct peer *peer, struct peer_message *message)
{
	peer_receive(peer, message);
	while (is_event(message)) {
		expect_true(peer->nevents < PEER_EVENTS);
		copy_event(&peer->events[peer->nevents++], message);
		peer_receive(peer, message);
	}
}

int peer_reply(struct peer *peer, uint16_t id, uint32_t seq,
	       struct peer_message *message)
{
	struct kvmi_error_code *ec = (void *)message->body;

	receive_reply(peer, message);
	expect(id, message->hdr.id);
	expect(seq, message->hdr.seq);
	expect_true(message->hdr.size >= sizeof(*ec));
	expect(0, ec->padding);
	expect_true(ec->err <= 0);
	if (ec->err)
		expect(sizeof(*ec), message->hdr.size);
	return ec->err;
}

int __peer_command(struct peer *peer, uint16_t id, const void *body,
		   size_t size, void *data, size_t data_size)
{
	uint32_t seq = peer_send(peer, id, body, size);
	const size_t head = sizeof(struct kvmi_error_code);
	struct peer_message reply;
	int err;

	err = peer_reply(peer, id, seq, &reply);
	if (err)
		return err;
	expect(head + data_size, reply.hdr.size);
	if (data_size)
		memcpy(data, reply.body + head, data_size);
	return 0;
}

void peer_command(struct peer *peer, uint16_t id, const void *body,
		  size_t size, void *data, size_t data_size)
{
	expect(0, __peer_command(peer, id, body, size, data, data_size));
}
