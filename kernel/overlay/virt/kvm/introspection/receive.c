// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the thread that reads a session's socket.
 *
 * It is joined before the session, the VM or the module can go, and takes no
 * reference to any of them. Whatever ends its loop shuts the socket down, which
 * is how the device manager learns of it.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "introspection.h"
#include "trace.h"

static int message_receive(struct kvmi_session *session, struct kvmi_msg *msg)
{
	int r;

	r = kvmi_channel_receive(session, &msg->hdr, sizeof(msg->hdr));
	if (r)
		return r;
	if (msg->hdr.size > sizeof(msg->data))
		return -EMSGSIZE;

	return kvmi_channel_receive(session, msg->data, msg->hdr.size);
}

static int serve(struct kvmi_session *session)
{
	int r;

	do {
		r = kvmi_backlog_wait(session);
		if (!r)
			r = message_receive(session, session->in);
		if (!r)
			r = kvmi_dispatch(session, session->in);
	} while (!r && !signal_pending(current));

	return r;
}

static void wait_for_join(void)
{
	set_current_state(TASK_IDLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_IDLE);
	}
	__set_current_state(TASK_RUNNING);
}

int kvmi_receive_thread(void *data)
{
	struct kvmi_session *session = data;
	int r;

	/* Only the kernel may kill it: step 2 of the take-down. */
	allow_kernel_signal(SIGKILL);

	r = serve(session);
	kvmi_session_close(session);
	kvmi_access_clear(session);
	kvmi_channel_drain(session);
	trace_kvmi_close(session->kvm, r);
	complete_all(&session->closed);

	wait_for_join();

	return 0;
}
