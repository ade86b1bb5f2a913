// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: a session, from HOOK to UNHOOK.
 *
 * The receive thread is created stopped and started when the session is
 * published. Taking a session down goes in this order:
 *
 *   1. Shut the socket down. The peer sees the end; the thread comes out of a
 *	receive or a send, now and for ever.
 *   2. Kill the thread. It comes out of a fault on guest memory that somebody
 *	(userfaultfd, a dead disk) does not answer, and out of waiting for a
 *	vCPU.
 *   3. Wait until the thread has said that it reads no more. This is the one
 *	wait of UNHOOK and it is killable: then nothing below has happened and
 *	the session is whole, though its socket is closed.
 *   4. Join the thread. It holds no lock and only waits for this.
 *   5. Drop the socket, free the buffers, free the session.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "introspection.h"

static void session_free(struct kvmi_session *session)
{
	if (session->sock)
		kvmi_channel_put(session->sock);
	if (session->out)
		kmem_cache_free(kvmi_msg_cache, session->out);
	if (session->in)
		kmem_cache_free(kvmi_msg_cache, session->in);
	kmem_cache_free(kvmi_session_cache, session);
}

struct kvmi_session *kvmi_session_create(struct kvmi_vm *kvmi, int fd,
					 const u8 *uuid)
{
	struct kvmi_session *session;
	struct socket *sock;
	int r;

	sock = kvmi_channel_get(fd);
	if (IS_ERR(sock))
		return ERR_CAST(sock);

	session = kmem_cache_zalloc(kvmi_session_cache, GFP_KERNEL_ACCOUNT);
	if (!session) {
		kvmi_channel_put(sock);
		return ERR_PTR(-ENOMEM);
	}

	session->kvmi = kvmi;
	session->kvm = kvmi->kvm;
	session->sock = sock;
	session->cleanup = true;
	memcpy(session->uuid, uuid, sizeof(session->uuid));
	kvmi_policy_init(&session->policy);
	mutex_init(&session->send_lock);
	init_completion(&session->closed);

	r = -ENOMEM;
	session->in = kmem_cache_zalloc(kvmi_msg_cache, GFP_KERNEL_ACCOUNT);
	session->out = kmem_cache_zalloc(kvmi_msg_cache, GFP_KERNEL_ACCOUNT);
	if (!session->in || !session->out)
		goto err_free;

	session->receiver = kthread_create(kvmi_receive_thread, session,
					   "kvmi-recv-%d",
					   kvmi->kvm->userspace_pid);
	if (IS_ERR(session->receiver)) {
		r = PTR_ERR(session->receiver);
		goto err_free;
	}

	return session;

err_free:
	session_free(session);
	return ERR_PTR(r);
}

/* For a session that was never published: the socket stays as it was. */
void kvmi_session_discard(struct kvmi_session *session)
{
	kthread_stop(session->receiver);
	session_free(session);
}

static void session_interrupt(struct kvmi_session *session)
{
	kvmi_channel_close(session);
	send_sig(SIGKILL, session->receiver, 1);
}

/* Steps 1 to 3, for a caller that may be killed. */
int kvmi_session_stop(struct kvmi_session *session)
{
	session_interrupt(session);
	if (wait_for_completion_killable(&session->closed))
		return -EINTR;

	return 0;
}

/* All that is left of the steps. */
void kvmi_session_end(struct kvmi_session *session)
{
	session_interrupt(session);
	kvmi_session_discard(session);
}
