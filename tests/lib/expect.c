// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a test expects of the kernel on a raw socket.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "peer.h"
#include "test.h"

void peer_expect_error(struct peer *peer, uint16_t id, const void *body,
		       size_t size, int error)
{
	expect(-error, __peer_command(peer, id, body, size, NULL, 0));
}

void peer_expect_padding(struct peer *peer, uint16_t id, const void *body,
			 size_t size, size_t from, size_t to)
{
	uint8_t bytes[KVMI_MSG_SIZE];
	size_t i;

	for (i = from; i < to; i++) {
		memcpy(bytes, body, size);
		expect(0, bytes[i]);
		bytes[i] = 1;
		peer_expect_error(peer, id, bytes, size, KVM_EINVAL);
		bytes[i] = 0x80;
		peer_expect_error(peer, id, bytes, size, KVM_EINVAL);
	}
}

int __peer_read(struct peer *peer, uint64_t gpa, void *data, uint16_t size)
{
	struct kvmi_vm_read_physical read = { .gpa = gpa, .size = size };

	return __peer_command(peer, KVMI_VM_READ_PHYSICAL, &read, sizeof(read),
			      data, size);
}

int __peer_put(struct peer *peer, uint64_t gpa, const void *data,
	       uint16_t size)
{
	uint8_t body[KVMI_MSG_SIZE];
	struct kvmi_vm_write_physical write = { .gpa = gpa, .size = size };

	memcpy(body, &write, sizeof(write));
	memcpy(body + sizeof(write), data, size);
	return __peer_command(peer, KVMI_VM_WRITE_PHYSICAL, body,
			      sizeof(write) + size, NULL, 0);
}

void peer_expect_closed(struct peer *peer)
{
	/* A hang-up is reported only when both directions are shut down. */
	struct pollfd p = { .fd = peer->fd };
	struct peer_message message;
	int r;

	do
		r = __peer_receive(peer, &message);
	while (!r);
	/* Bytes that the kernel left unread turn the end into a reset. */
	if (r != -ECONNRESET)
		expect(-EPIPE, r);
	expect(1, poll(&p, 1, DEADLINE_MS));
	expect_true(p.revents & POLLHUP);
	expect(-EPIPE, __peer_write(peer, "x", 1));
}

void peer_expect_open(struct peer *peer)
{
	struct kvmi_get_version_reply version;

	peer_command(peer, KVMI_GET_VERSION, NULL, 0, &version,
		     sizeof(version));
	expect(KVMI_VERSION, version.version);
}

uint32_t peer_expect_vm_event(struct peer *peer, uint16_t event)
{
	struct peer_message message;
	struct kvmi_event_hdr *hdr = (void *)message.body;
	static const uint16_t zero[3];

	peer_receive(peer, &message);
	expect(KVMI_VM_EVENT, message.hdr.id);
	expect(sizeof(*hdr), message.hdr.size);
	expect(event, hdr->event);
	expect_bytes(zero, hdr->padding, sizeof(zero));
	return message.hdr.seq;
}
