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
 * The device manager calls from its main thread and is to know whether the tool
 * has been told, which one that does not read is not.
 */
static bool wait_for_backlog(struct kvmi_session *session)
{
	int i;

	lockdep_assert_held(&session->send_lock);

	for (i = 0; i < UNHOOK_SEND_TRIES; i++) {
		if (kvmi_backlog_is_empty(session))
			return true;
		mutex_unlock(&session->send_lock);
		msleep_interruptible(UNHOOK_SEND_PAUSE);
		mutex_lock(&session->send_lock);
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

	r = kvmi_channel_send(session, vec, ARRAY_SIZE(vec));
	if (r) {
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
	int r = -ENOENT;

	lockdep_assert_held(&session->kvmi->lock);

	if (!event_wanted(session, KVMI_VM_EVENT_UNHOOK))
		return -ENOENT;
	mutex_lock(&session->send_lock);
	if (wait_for_backlog(session))
		r = send_unhook_locked(session);
	mutex_unlock(&session->send_lock);

	return r ? -ENOENT : 0;
}
