// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: from a message to its handler, and the replies.
 *
 * A handler returns 0 to go on, also when it has answered with an error, and a
 * negative errno to end the session.
 */
#include <linux/uio.h>

#include "introspection.h"
#include "trace.h"

struct message {
	int (*vm)(struct kvmi_session *session, const struct kvmi_msg *msg);
	int (*vcpu)(struct kvmi_session *session, struct kvm_vcpu *vcpu,
		    const struct kvmi_msg *msg);
	u16 request;		/* bytes, with the vCPU header if there is one */
};

#define MESSAGE_VM(stem, size) \
	{ .vm = handle_##stem, .request = size }
#define MESSAGE_VCPU(stem, size) \
	{ .vcpu = handle_##stem, .request = sizeof(struct kvmi_vcpu_hdr) + (size) }
#define M(NAME, stem, scope, request_size, ...) \
	[KVMI_##NAME] = MESSAGE_##scope(stem, request_size),
static const struct message messages[KVMI_NUM_MESSAGES] = {
	KVMI_MESSAGES(M)
};
#undef M

/* The reply to an event is no command: it needs no permission. */
static const struct message event_reply = {
	.vcpu = kvmi_vcpu_event_reply,
	.request = sizeof(struct kvmi_vcpu_hdr) +
		   sizeof(struct kvmi_vcpu_event_reply),
};

/* The two ids of events have no handler, so they are no commands. */
bool kvmi_command_known(u16 id)
{
	return id < KVMI_NUM_MESSAGES && (messages[id].vm || messages[id].vcpu);
}

int kvmi_reply(struct kvmi_session *session, const struct kvmi_msg *msg,
	       int err, const void *data, size_t size)
{
	struct kvmi_error_code ec = { .err = err };
	struct kvmi_msg_hdr hdr = {
		.id = msg->hdr.id,
		.seq = msg->hdr.seq,
		.size = sizeof(ec) + (err ? 0 : size),
	};
	struct kvec vec[] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = &ec, .iov_len = sizeof(ec) },
		{ .iov_base = (void *)data, .iov_len = size },
	};
	int r;

	trace_kvmi_reply(session->kvm, hdr.id, hdr.seq, err);

	mutex_lock(&session->send_lock);
	if (err)
		session->kvmi->counters.errors++;
	r = kvmi_channel_send(session, vec, err || !size ? 2 : 3);
	mutex_unlock(&session->send_lock);

	return r;
}

/* What a short message leaves out reads as zero. */
static void zero_fill(struct kvmi_msg *msg, size_t size)
{
	if (msg->hdr.size < size)
		memset(msg->data + msg->hdr.size, 0, size - msg->hdr.size);
}

/*
 * A vCPU that waits for INIT has no state worth asking for, unless it waits
 * for the reply to an event.
 */
static bool is_ready(struct kvm_vcpu *vcpu)
{
	return kvmi_arch_vcpu_ready(vcpu) ||
	       READ_ONCE(vcpu->kvmi->pending.state) != KVMI_PENDING_NONE;
}

static int dispatch_to_vcpu(struct kvmi_session *session,
			    const struct kvmi_msg *msg,
			    const struct message *message)
{
	const struct kvmi_vcpu_hdr *hdr = (const void *)msg->data;
	struct kvm_vcpu *vcpu = kvmi_vcpu_find(session, hdr->vcpu);

	if (hdr->padding1 || hdr->padding2 || !vcpu)
		return kvmi_reply(session, msg, -KVM_EINVAL, NULL, 0);
	if (!is_ready(vcpu))
		return kvmi_reply(session, msg, -KVM_EAGAIN, NULL, 0);

	return kvmi_job_queue_message(session, vcpu, msg, message->request,
				      message->vcpu);
}

int kvmi_dispatch(struct kvmi_session *session, struct kvmi_msg *msg)
{
	const struct message *message;
	u16 id = msg->hdr.id;

	trace_kvmi_command(session->kvm, id, msg->hdr.seq, msg->hdr.size);
	session->kvmi->counters.commands++;

	if (id == KVMI_VCPU_EVENT)
		message = &event_reply;
	else if (!kvmi_command_known(id))
		return kvmi_reply(session, msg, -KVM_ENOSYS, NULL, 0);
	else if (!test_bit(id, session->policy.commands))
		return kvmi_reply(session, msg, -KVM_EPERM, NULL, 0);
	else
		message = &messages[id];

	zero_fill(msg, message->request);
	if (message->vm)
		return message->vm(session, msg);

	return dispatch_to_vcpu(session, msg, message);
}
