// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: a session, from HOOK to UNHOOK.
 *
 * The receive thread is created stopped and started when the session is
 * published. Taking a session down goes in this order:
 *
 *   1. Shut the socket down. The peer sees the end; whoever receives or sends
 *	comes out of it, now and for ever.
 *   2. Take no more users: from here on every hook is plain KVM.
 *   3. Tell all vCPUs. One that waits for the tool goes on as if there had been
 *	no event; each undoes what the session set, in its own time.
 *   4. Kill the thread. It comes out of a fault on guest memory that somebody
 *	(userfaultfd, a dead disk) does not answer, and out of waiting for a
 *	vCPU.
 *   5. Wait until the thread reads no more and no vCPU works for the session.
 *	These waits of UNHOOK are killable: then nothing below has happened and
 *	the session is whole, though it is closed.
 *   6. Join the thread. It holds no lock and only waits for this.
 *   7. Drop the socket, free the buffers, free the session.
 *
 * A thread that ends by itself does 1 to 3.
 */
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "introspection.h"

static void session_free(struct kvmi_session *session)
{
	kvmi_backlog_end(session);
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
	kvmi_backlog_init(session);
	init_completion(&session->closed);
	init_completion(&session->unused);
	refcount_set(&session->users, 1);
	session->generation = ++kvmi->generation;

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

/*
 * For a vCPU. NULL when there is no session, or none that it may work for.
 */
struct kvmi_session *kvmi_session_get(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);
	struct kvmi_session *session;

	if (!kvmi)
		return NULL;

	spin_lock(&kvmi->session_lock);
	session = kvmi->session;
	if (session && session->closed_to_users)
		session = NULL;
	if (session)
		refcount_inc(&session->users);
	spin_unlock(&kvmi->session_lock);

	return session;
}

/*
 * For the receive thread, on behalf of a vCPU that is to work for its session.
 * False when the session is over and nobody works for it any more.
 */
bool kvmi_session_hold(struct kvmi_session *session)
{
	return refcount_inc_not_zero(&session->users);
}

void kvmi_session_put(struct kvmi_session *session)
{
	if (refcount_dec_and_test(&session->users))
		complete_all(&session->unused);
}

bool kvmi_session_is_closed(struct kvmi_session *session)
{
	return READ_ONCE(session->closed_to_users);
}

/* Steps 1 to 3. Whoever comes first gives up the session's own user. */
void kvmi_session_close(struct kvmi_session *session)
{
	bool first;

	kvmi_channel_close(session);

	spin_lock(&session->kvmi->session_lock);
	first = !session->closed_to_users;
	WRITE_ONCE(session->closed_to_users, true);
	spin_unlock(&session->kvmi->session_lock);

	if (!first)
		return;
	kvmi_vcpu_release_all(session);
	kvmi_session_put(session);
}

static void session_interrupt(struct kvmi_session *session)
{
	kvmi_session_close(session);
	send_sig(SIGKILL, session->receiver, 1);
}

/* Steps 1 to 5, for a caller that may be killed. */
int kvmi_session_stop(struct kvmi_session *session)
{
	session_interrupt(session);
	if (wait_for_completion_killable(&session->closed) ||
	    wait_for_completion_killable(&session->unused))
		return -EINTR;

	/* Nobody adds or takes any now; the next session owes nothing. */
	kvmi_vcpu_forget_pauses(session->kvm);

	return 0;
}

/* All that is left of the steps; no vCPU works for the session any more. */
void kvmi_session_end(struct kvmi_session *session)
{
	session_interrupt(session);
	kvmi_session_discard(session);
}
