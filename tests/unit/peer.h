/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The other side of the socket: what QEMU and the kernel say, for tests. The
 * script_ functions say single things, peer_serve() behaves like a kernel.
 * They report what goes wrong by an error, for they run in threads.
 */
#ifndef KVMI_TEST_PEER_H
#define KVMI_TEST_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kvmi/handshake.h>
#include <linux/kvmi.h>

struct peer_memory {
	uint8_t *bytes;
	uint64_t size;
	uint64_t hole, hole_end;	/* no memory there */
	bool is_old;			/* the host has no single step */
};

/* A message that came in. */
struct frame {
	struct kvmi_msg_hdr hdr;
	uint8_t body[KVMI_MAX_MSG_SIZE];
};

/* All return 0 or -EPIPE when the other side has gone. */
int script_send(int fd, const void *data, size_t size);
int script_receive(int fd, void *data, size_t size);
int script_command(int fd, struct frame *frame);
int script_reply(int fd, const struct frame *frame, int32_t err,
		 const void *data, size_t size);
int script_event(int fd, uint32_t seq, uint16_t event, const void *data,
		 size_t size);
/* An event of a vCPU: registers that tell which vCPU it is, then @data. */
int script_vcpu_event(int fd, uint32_t seq, uint16_t vcpu, uint16_t event,
		      const void *data, size_t size);
void script_state(struct kvmi_vcpu_event *state, uint16_t vcpu);
/* Whole scripts: the library sends nothing; it gets no answer. */
int script_nothing(int fd, void *arg);
int script_swallow(int fd, void *arg);
/* What answers no command, after which there is no session. */
int script_garble(int fd, void *arg);
int script_version(int fd, const struct frame *frame, uint32_t version);

void peer_hello(struct kvmi_qemu2introspector *hello, const char *name,
		uint8_t uuid_fill);
/* A record at the end of a message: returns the size afterwards. */
size_t peer_append(uint8_t *msg, size_t at, uint16_t type, const void *content,
		   size_t size);
/* The same with these features and two areas: returns its size. */
size_t peer_long_hello(uint8_t *msg, const char *name, uint8_t uuid_fill,
		       uint32_t features);
/* Says hello, takes the answer; -EACCES if @hash is another one. */
int peer_handshake(int fd, const struct kvmi_qemu2introspector *hello,
		   const uint8_t *hash);
/* Both for a VM of this name. */
int peer_begin(int fd, const char *name, uint8_t uuid_fill,
	       const uint8_t *hash);
/* Takes and answers one command as a kernel does. */
int peer_answer(int fd, const struct peer_memory *memory);
/* The same until the tool goes. */
void peer_serve(int fd, const struct peer_memory *memory);

#endif
