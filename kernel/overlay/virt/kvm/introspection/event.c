// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: events.
 */
#include <linux/delay.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/uio.h>

#include "introspection.h"
#include "trace.h"

/* How long PREUNHOOK gives a reply that is under way, in ms. */
#define UNHOOK_SEND_TRIES	20
#define UNHOOK_SEND_PAUSE	5

enum scope { SCOPE_NONE, SCOPE_VM, SCOPE_VCPU };

#define E(NAME, stem, scope, ...) [KVMI_##NAME] = SCOPE_##scope,
static const u8 scopes[KVMI_NUM_EVENTS] = {
	KVMI_EVENTS(E)
};
#undef E

bool kvmi_event_known(u16 id)
{
	return id < KVMI_NUM_EVENTS && scopes[id] != SCOPE_NONE;
}

bool kvmi_event_is_vm(u16 id)
{
	return kvmi_event_known(id) && scopes[id] == SCOPE_VM;
}

int kvmi_event_control(struct kvmi_session *session, u16 id, bool enable)
{
	if (!test_bit(id, session->policy.events))
		return -KVM_EPERM;

	if (enable)
		set_bit(id, session->enabled_events);
	else
		clear_bit(id, session->enabled_events);

	return 0;
}

static bool event_wanted(struct kvmi_session *session, u16 id)
{
	return test_bit(id, session->enabled_events) &&
	       test_bit(id, session->policy.events);
}

/*
 * The device manager calls from its main thread and must not be held by a tool
 * that does not read. The lock is held for long only by a reply that the peer
 * does not take.
 */
static bool send_trylock(struct kvmi_session *session)
{
	int i;

	for (i = 0; i < UNHOOK_SEND_TRIES; i++) {
		if (mutex_trylock(&session->send_lock))
			return true;
		if (msleep_interruptible(UNHOOK_SEND_PAUSE))
			break;
	}

	return false;
}

static int send_unhook_locked(struct kvmi_session *session)
{
	struct kvmi_event_hdr event = { .event = KVMI_VM_EVENT_UNHOOK };
	struct kvmi_msg_hdr hdr = {
		.id = KVMI_VM_EVENT,
		.seq = session->event_seq + 1,
		.size = sizeof(event),
	};
	struct kvec vec[] = {
		{ .iov_base = &hdr, .iov_len = sizeof(hdr) },
		{ .iov_base = &event, .iov_len = sizeof(event) },
	};
	int r;

	r = kvmi_channel_send(session, vec, ARRAY_SIZE(vec), MSG_DONTWAIT);
	if (r == -EAGAIN)
		return r;
	if (r) {
		/* A part may be on its way: nothing can follow it. */
		kvmi_channel_close(session);
		return r;
	}

	session->event_seq++;
	session->kvmi->counters.events++;
	trace_kvmi_event(session->kvm, event.event, hdr.seq);

	return 0;
}

/* Returns -ENOENT if the tool has not been told, whatever the reason. */
int kvmi_event_send_unhook(struct kvmi_session *session)
{
	int r;

	lockdep_assert_held(&session->kvmi->lock);

	if (!event_wanted(session, KVMI_VM_EVENT_UNHOOK))
		return -ENOENT;
	if (!send_trylock(session))
		return -ENOENT;
	r = send_unhook_locked(session);
	mutex_unlock(&session->send_lock);

	return r ? -ENOENT : 0;
}
