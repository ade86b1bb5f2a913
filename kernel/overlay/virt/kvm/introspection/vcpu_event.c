// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the event of a vCPU on the wire, and the reply to it.
 */
#include <linux/uio.h>

#include "introspection.h"
#include "trace.h"

#define ACTION(name) BIT(KVMI_EVENT_ACTION_##name)

/* The table has them as words for people; these are the same for the code. */
static const u8 actions[KVMI_NUM_EVENTS] = {
	[KVMI_VCPU_EVENT_PAUSE] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_HYPERCALL] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_BREAKPOINT] = ACTION(CONTINUE) | ACTION(RETRY) |
				       ACTION(CRASH),
	[KVMI_VCPU_EVENT_CR] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_TRAP] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_XSETBV] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_DESCRIPTOR] = ACTION(CONTINUE) | ACTION(RETRY) |
				       ACTION(CRASH),
	[KVMI_VCPU_EVENT_MSR] = ACTION(CONTINUE) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_PF] = ACTION(CONTINUE) | ACTION(RETRY) | ACTION(CRASH),
	[KVMI_VCPU_EVENT_SINGLESTEP] = ACTION(CONTINUE) | ACTION(CRASH),
};

bool kvmi_vcpu_event_known(u16 id)
{
	return kvmi_event_known(id) && !kvmi_event_is_vm(id);
}

/* Returns 0 when it is on its way, or an error and the socket is closed. */
int kvmi_vcpu_event_send(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			 const struct kvmi_event_args *args, u32 *seq)
{
	struct kvmi_event_hdr event = { .event = args->event };
	struct kvmi_vcpu_event common = {
		.size = sizeof(common),
		.vcpu = vcpu->vcpu_idx,
	};
	struct kvmi_msg_hdr hdr = {
		.id = KVMI_VCPU_EVENT,
		.size = sizeof(event) + sizeof(common) + args->size,
	};
	struct kvec vec[] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = &event, .iov_len = sizeof(event) },
		{ .iov_base = &common, .iov_len = sizeof(common) },
		{ .iov_base = (void *)args->data, .iov_len = args->size },
	};
	int r;

	kvmi_arch_event_fill(vcpu, &common.arch);

	mutex_lock(&session->send_lock);
	hdr.seq = session->event_seq + 1;
	r = kvmi_channel_send(session, vec, args->size ? 4 : 3);
	if (!r) {
		session->event_seq++;
		session->kvmi->counters.events++;
		*seq = hdr.seq;
		trace_kvmi_event(session->kvm, args->event, hdr.seq);
	}
	mutex_unlock(&session->send_lock);

	if (r)
		kvmi_channel_close(session);

	return r;
}

static bool is_over(struct kvmi_vcpu *vcpui, u32 seq)
{
	unsigned int i;

	for (i = 0; i < vcpui->nr_over; i++) {
		if (vcpui->over[i] != seq)
			continue;
		vcpui->over[i] = vcpui->over[--vcpui->nr_over];
		return true;
	}

	return false;
}

/* Anything that is not as the protocol says ends the session. */
int kvmi_vcpu_event_reply(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			  const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_event_reply *rpl;
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	size_t fixed = sizeof(struct kvmi_vcpu_hdr) + sizeof(*rpl);
	size_t size;

	rpl = (const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	if (msg->hdr.size < fixed || rpl->padding1 || rpl->padding2)
		return -EPROTO;
	if (is_over(vcpu->kvmi, msg->hdr.seq))
		return 0;
	if (pending->state != KVMI_PENDING_SENT ||
	    pending->seq != msg->hdr.seq || pending->event != rpl->event)
		return -EPROTO;
	if (rpl->action >= BITS_PER_BYTE ||
	    !(actions[rpl->event] & BIT(rpl->action)))
		return -EPROTO;

	/* Data that is left out is zero; more than there can be is not. */
	size = msg->hdr.size - fixed;
	if (size > pending->reply_size)
		return -EPROTO;
	memset(pending->reply, 0, sizeof(pending->reply));
	memcpy(pending->reply, rpl + 1, size);
	pending->action = rpl->action;
	pending->state = KVMI_PENDING_ANSWERED;
	trace_kvmi_event_reply(session->kvm, rpl->event, msg->hdr.seq,
			       rpl->action);

	return 0;
}
