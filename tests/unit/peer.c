// SPDX-License-Identifier: GPL-2.0-or-later
/* The other side of the socket: what QEMU and the kernel say, for tests. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "peer.h"

int script_send(int fd, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	ssize_t n;

	while (size) {
		n = send(fd, bytes, size, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return -EPIPE;
		if (n > 0) {
			bytes += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int script_receive(int fd, void *data, size_t size)
{
	if (!size)
		return 0;
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size ? 0 : -EPIPE;
}

int script_command(int fd, struct frame *frame)
{
	int err = script_receive(fd, &frame->hdr, sizeof(frame->hdr));

	if (err || frame->hdr.size > sizeof(frame->body))
		return -EPIPE;
	memset(frame->body, 0, 64);
	return script_receive(fd, frame->body, frame->hdr.size);
}

int script_nothing(int fd, void *arg)
{
	uint8_t byte;

	(void)arg;
	return script_receive(fd, &byte, 1) == -EPIPE ? 0 : -EBADMSG;
}

int script_garble(int fd, void *arg)
{
	const struct kvmi_msg_hdr hdr = { .id = 4, .size = 8, .seq = 99 };
	const uint64_t body = 0;

	(void)arg;
	if (script_send(fd, &hdr, sizeof(hdr)) ||
	    script_send(fd, &body, sizeof(body)))
		return -EPIPE;
	return script_swallow(fd, NULL);
}

int script_swallow(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	while (!script_command(fd, &frame))
		;
	return 0;
}

int script_reply(int fd, const struct frame *frame, int32_t err,
		 const void *data, size_t size)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
		uint8_t data[KVMI_MAX_MSG_SIZE];
	} reply = {
		.hdr = frame->hdr,
		.code.err = err,
	};

	reply.hdr.size = (uint16_t)(sizeof(reply.code) + (err ? 0 : size));
	if (size)
		memcpy(reply.data, data, size);
	return script_send(fd, &reply, sizeof(reply.hdr) + reply.hdr.size);
}

int script_event(int fd, uint32_t seq, uint16_t event, const void *data,
		 size_t size)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_event_hdr head;
		uint8_t data[KVMI_MAX_MSG_SIZE];
	} message = {
		.hdr.id = event & 1 ? KVMI_VCPU_EVENT : KVMI_VM_EVENT,
		.hdr.size = (uint16_t)(sizeof(message.head) + size),
		.hdr.seq = seq,
		.head.event = event,
	};

	if (size)
		memcpy(message.data, data, size);
	return script_send(fd, &message,
			   sizeof(message.hdr) + message.hdr.size);
}

void script_state(struct kvmi_vcpu_event *state, uint16_t vcpu)
{
	*state = (struct kvmi_vcpu_event){
		.size = sizeof(*state),
		.vcpu = vcpu,
		.arch.mode = 8,
		.arch.regs.rip = 0x1000 + vcpu,
		.arch.sregs.cr3 = 0x2000 + vcpu,
		.arch.msrs.lstar = 0x3000 + vcpu,
	};
}

int script_vcpu_event(int fd, uint32_t seq, uint16_t vcpu, uint16_t event,
		      const void *data, size_t size)
{
	struct {
		struct kvmi_vcpu_event state;
		uint8_t data[256];
	} body;

	script_state(&body.state, vcpu);
	if (size)
		memcpy(body.data, data, size);
	return script_event(fd, seq, event, &body, sizeof(body.state) + size);
}

int script_version(int fd, const struct frame *frame, uint32_t version)
{
	const struct kvmi_get_version_reply reply = {
		.version = version,
		.max_msg_size = KVMI_MAX_MSG_SIZE,
	};

	return script_reply(fd, frame, 0, &reply, sizeof(reply));
}

void peer_hello(struct kvmi_qemu2introspector *hello, const char *name,
		uint8_t uuid_fill)
{
	*hello = (struct kvmi_qemu2introspector){
		.struct_size = sizeof(*hello),
		.start_time = time(NULL),
		.max_gpa = 1 << 30,
	};
	memset(hello->uuid, uuid_fill, sizeof(hello->uuid));
	strncpy(hello->name, name, sizeof(hello->name) - 1);
}

size_t peer_append(uint8_t *msg, size_t at, uint16_t type, const void *content,
		   size_t size)
{
	const struct kvmi_handshake_record record = {
		.type = type,
		.size = (uint32_t)size,
	};
	uint32_t total;

	memcpy(msg + at, &record, sizeof(record));
	memcpy(msg + at + sizeof(record), content, size);
	at += sizeof(record) + size;
	while (at % 8)
		msg[at++] = 0;
	total = (uint32_t)at;
	memcpy(msg, &total, sizeof(total));
	return at;
}

size_t peer_long_hello(uint8_t *msg, const char *name, uint8_t uuid_fill,
		       uint32_t features)
{
	static const struct kvmi_handshake_area areas[] = {
		{ .gpa = 0, .size = 1 << 20, .type = 1 },
		{ .gpa = 0xfffc0000, .size = 1 << 18, .type = 2 },
	};
	const struct kvmi_handshake_features offer = { .features = features };
	struct kvmi_qemu2introspector known;
	size_t size = sizeof(known);

	peer_hello(&known, name, uuid_fill);
	memcpy(msg, &known, sizeof(known));
	size = peer_append(msg, size, KVMI_RECORD_FEATURES, &offer,
			   sizeof(offer));
	return peer_append(msg, size, KVMI_RECORD_E820, areas, sizeof(areas));
}

int peer_handshake(int fd, const struct kvmi_qemu2introspector *hello,
		   const uint8_t *hash)
{
	struct kvmi_introspector2qemu answer;
	int err;

	err = script_send(fd, hello, hello->struct_size);
	if (!err)
		err = script_receive(fd, &answer, sizeof(answer));
	if (err)
		return err;
	if (answer.struct_size != sizeof(answer))
		return -EPIPE;
	if (hash && memcmp(hash, answer.cookie_hash, sizeof(answer.cookie_hash)))
		return -EACCES;
	return 0;
}

int peer_begin(int fd, const char *name, uint8_t uuid_fill,
	       const uint8_t *hash)
{
	struct kvmi_qemu2introspector hello;

	peer_hello(&hello, name, uuid_fill);
	return peer_handshake(fd, &hello, hash);
}
