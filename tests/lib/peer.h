/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tool's end of the socket, raw: right messages and wrong ones.
 *
 * Nothing here uses the client library, so that an error in it cannot hide one
 * of the kernel.
 */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include <linux/kvmi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_message {
	struct kvmi_msg_hdr hdr;
	uint8_t body[KVMI_MSG_SIZE];
};

/* An event fits without what it never has. */
struct peer_event {
	struct kvmi_msg_hdr hdr;
	uint8_t body[640];
};

#define PEER_EVENTS	8

struct peer {
	int fd;
	uint32_t seq;	/* of the last command sent */
	/* Events of vCPUs that came while a reply was awaited. */
	struct peer_event events[PEER_EVENTS];
	int nevents;
};

/* Makes a pair of connected stream sockets; returns the kernel's end. */
int peer_open(struct peer *peer);
void peer_close(struct peer *peer);

/* Bytes as they are; 0 or a negative errno. */
int __peer_write(struct peer *peer, const void *bytes, size_t size);
void peer_write(struct peer *peer, const void *bytes, size_t size);
/* A message with a right header; returns its seq. */
uint32_t peer_send(struct peer *peer, uint16_t id, const void *body,
		   size_t size);

/* The next message; -ETIMEDOUT, -EPIPE at the end of the stream, or other. */
int __peer_receive(struct peer *peer, struct peer_message *message);
void peer_receive(struct peer *peer, struct peer_message *message);
/* The next vCPU event, also one that came earlier. */
int __peer_receive_event(struct peer *peer, struct peer_event *event);
/* The reply to seq; returns the error code, the data follows it in body. */
int peer_reply(struct peer *peer, uint16_t id, uint32_t seq,
	       struct peer_message *message);

/*
 * Sends a command and returns the error of its reply, 0 or -KVM_E...; what the
 * reply holds after the error code goes to data, and must have that size.
 */
int __peer_command(struct peer *peer, uint16_t id, const void *body,
		   size_t size, void *data, size_t data_size);
void peer_command(struct peer *peer, uint16_t id, const void *body,
		  size_t size, void *data, size_t data_size);

/* Fails unless the command is answered with this error, which is positive. */
void peer_expect_error(struct peer *peer, uint16_t id, const void *body,
		       size_t size, int error);
/*
 * Fails unless the command, which must be right otherwise, is answered with
 * -KVM_EINVAL when one of the bytes from..to - 1 is not 0.
 */
void peer_expect_padding(struct peer *peer, uint16_t id, const void *body,
			 size_t size, size_t from, size_t to);
/* Reads guest memory; 0 or -KVM_E.... */
int __peer_read(struct peer *peer, uint64_t gpa, void *data, uint16_t size);
/* Writes guest memory; 0 or -KVM_E.... */
int __peer_put(struct peer *peer, uint64_t gpa, const void *data,
	       uint16_t size);

/* Fails unless the kernel has shut the socket down, both ways, in time. */
void peer_expect_closed(struct peer *peer);
/* Fails unless a command is still answered. */
void peer_expect_open(struct peer *peer);
/* Fails unless the next message is this VM event; returns its seq. */
uint32_t peer_expect_vm_event(struct peer *peer, uint16_t event);

#endif /* TESTS_LIB_PEER_H */
