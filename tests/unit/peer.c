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

static int check_access(const struct peer_memory *memory, uint64_t gpa,
			uint64_t size)
{
	if (!size || gpa % 4096 + size > 4096)
		return -KVM_EINVAL;
	if (gpa + size > memory->size ||
	    (gpa >= memory->hole && gpa < memory->hole_end))
		return -KVM_ENOENT;
	return 0;
}

static int answer_memory(int fd, const struct frame *frame,
			 const struct peer_memory *memory)
{
	struct kvmi_vm_read_physical req;
	int err;

	memcpy(&req, frame->body, sizeof(req));
	err = check_access(memory, req.gpa, req.size);
	if (err)
		return script_reply(fd, frame, err, NULL, 0);
	if (frame->hdr.id == KVMI_VM_READ_PHYSICAL)
		return script_reply(fd, frame, 0, memory->bytes + req.gpa,
				    req.size);

	if (frame->hdr.size < sizeof(req) + req.size)
		return -EPIPE;
	memcpy(memory->bytes + req.gpa, frame->body + sizeof(req), req.size);
	return script_reply(fd, frame, 0, NULL, 0);
}

static int answer_check(int fd, const struct frame *frame)
{
	bool is_command = frame->hdr.id == KVMI_VM_CHECK_COMMAND;
	uint16_t id;
	int err = 0;

	memcpy(&id, frame->body, sizeof(id));
	if (is_command && (id < KVMI_GET_VERSION || id > KVMI_VM_GET_MAX_GFN ||
			   id & 1))
		err = -KVM_ENOENT;
	if (!is_command && id != KVMI_VM_EVENT_UNHOOK)
		err = -KVM_ENOENT;
	return script_reply(fd, frame, err, NULL, 0);
}

int peer_answer(int fd, const struct peer_memory *memory)
{
	const struct kvmi_vm_get_max_gfn_reply gfn = { memory->size / 4096 };
	const struct kvmi_vm_get_info_reply info = { .vcpu_count = 2 };
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	switch (frame.hdr.id) {
	case KVMI_GET_VERSION:
		return script_version(fd, &frame, KVMI_VERSION);
	case KVMI_VM_CHECK_COMMAND:
	case KVMI_VM_CHECK_EVENT:
		return answer_check(fd, &frame);
	case KVMI_VM_GET_INFO:
		return script_reply(fd, &frame, 0, &info, sizeof(info));
	case KVMI_VM_GET_MAX_GFN:
		return script_reply(fd, &frame, 0, &gfn, sizeof(gfn));
	case KVMI_VM_READ_PHYSICAL:
	case KVMI_VM_WRITE_PHYSICAL:
		return answer_memory(fd, &frame, memory);
	case KVMI_VM_CONTROL_EVENTS:
	case KVMI_VM_CONTROL_CLEANUP:
		return script_reply(fd, &frame, 0, NULL, 0);
	default:
		return script_reply(fd, &frame, -KVM_ENOSYS, NULL, 0);
	}
}

void peer_serve(int fd, const struct peer_memory *memory)
{
	while (!peer_answer(fd, memory))
		;
}
