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
	int (*handle)(struct kvmi_session *session, const struct kvmi_msg *msg);
	u16 request;
};

#define M(NAME, stem, scope, request_size, ...) \
	[KVMI_##NAME] = { .handle = handle_##stem, .request = request_size },
static const struct message messages[KVMI_NUM_MESSAGES] = {
	KVMI_MESSAGES(M)
};
#undef M

/* The two ids of events have no handler, so they are no commands. */
bool kvmi_command_known(u16 id)
{
	return id < KVMI_NUM_MESSAGES && messages[id].handle;
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

	if (err)
		session->kvmi->counters.errors++;
	trace_kvmi_reply(session->kvm, hdr.id, hdr.seq, err);

	mutex_lock(&session->send_lock);
	r = kvmi_channel_send(session, vec, err || !size ? 2 : 3, 0);
	mutex_unlock(&session->send_lock);

	return r;
}

/*
 * No vCPU waits for the reply to an event, since no vCPU event is sent yet; an
 * ill-addressed one is still told so first.
 */
static int handle_event_reply(struct kvmi_session *session,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_hdr *hdr = (const void *)msg->data;

	if (hdr->padding1 || hdr->padding2 ||
	    hdr->vcpu >= atomic_read(&session->kvm->online_vcpus))
		return kvmi_reply(session, msg, -KVM_EINVAL, NULL, 0);

	return -EPROTO;
}

/* What a short message leaves out reads as zero. */
static void zero_fill(struct kvmi_msg *msg, size_t size)
{
	if (msg->hdr.size < size)
		memset(msg->data + msg->hdr.size, 0, size - msg->hdr.size);
}

int kvmi_dispatch(struct kvmi_session *session, struct kvmi_msg *msg)
{
	u16 id = msg->hdr.id;

	trace_kvmi_command(session->kvm, id, msg->hdr.seq, msg->hdr.size);
	session->kvmi->counters.commands++;

	if (id == KVMI_VCPU_EVENT) {
		zero_fill(msg, sizeof(struct kvmi_vcpu_hdr));
		return handle_event_reply(session, msg);
	}
	if (!kvmi_command_known(id))
		return kvmi_reply(session, msg, -KVM_ENOSYS, NULL, 0);
	if (!test_bit(id, session->policy.commands))
		return kvmi_reply(session, msg, -KVM_EPERM, NULL, 0);

	zero_fill(msg, messages[id].request);

	return messages[id].handle(session, msg);
}
