// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: what the peer has not taken yet.
 *
 * A vCPU must not wait for a tool that does not read: the device manager wants
 * it back on a signal, and half a message cannot be taken back. So what does
 * not go into the socket at once waits here, and a worker sends it. While
 * anything is here all that follows comes here as well, so that the order stays.
 *
 * The receive thread takes no new message as long as too much is here. A vCPU
 * adds the replies to the jobs that it has, and one event. This is the bound.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "introspection.h"

/* More bytes than this stop the receive thread. */
#define BACKLOG_MAX	(2 * KVMI_MAX_MSG_SIZE)

struct part {
	struct list_head link;
	size_t size;
	u8 data[] __counted_by(size);
};

static struct part *first(struct kvmi_session *session)
{
	struct part *part;

	mutex_lock(&session->send_lock);
	part = list_first_entry_or_null(&session->backlog, struct part, link);
	mutex_unlock(&session->send_lock);

	return part;
}

static void remove(struct kvmi_session *session, struct part *part)
{
	mutex_lock(&session->send_lock);
	list_del(&part->link);
	WRITE_ONCE(session->backlog_size, session->backlog_size - part->size);
	mutex_unlock(&session->send_lock);
	kfree(part);
	wake_up(&session->backlog_room);
}

/* Without the lock: the first part stays the first until it is removed. */
static int send_all(struct kvmi_session *session, const struct part *part)
{
	size_t sent = 0;
	int r;

	while (sent < part->size) {
		r = kvmi_channel_send_bytes(session, part->data + sent,
					    part->size - sent);
		if (r < 0)
			return r;
		sent += r;
	}

	return 0;
}

/* Ends when nothing is left; once the socket is shut down, at once. */
static void backlog_work(struct work_struct *work)
{
	struct kvmi_session *session =
		container_of(work, struct kvmi_session, backlog_work);
	struct part *part;
	int r = 0;

	while ((part = first(session))) {
		if (!r)
			r = send_all(session, part);
		if (r)
			kvmi_channel_close(session);
		remove(session, part);
	}
}

void kvmi_backlog_init(struct kvmi_session *session)
{
	INIT_LIST_HEAD(&session->backlog);
	INIT_WORK(&session->backlog_work, backlog_work);
	init_waitqueue_head(&session->backlog_room);
}

/* The socket is shut down and nobody sends any more. */
void kvmi_backlog_end(struct kvmi_session *session)
{
	flush_work(&session->backlog_work);
	WARN_ON_ONCE(!list_empty(&session->backlog));
}

bool kvmi_backlog_is_empty(struct kvmi_session *session)
{
	lockdep_assert_held(&session->send_lock);

	return list_empty(&session->backlog);
}

/* What is in vec behind the first bytes, which are sent. */
int kvmi_backlog_add(struct kvmi_session *session, const struct kvec *vec,
		     size_t n, size_t size, size_t sent)
{
	struct part *part;
	struct iov_iter iter;

	lockdep_assert_held(&session->send_lock);

	part = kmalloc(struct_size(part, data, size - sent),
		       GFP_KERNEL_ACCOUNT);
	if (!part)
		return -ENOMEM;
	part->size = size - sent;

	iov_iter_kvec(&iter, ITER_SOURCE, vec, n, size);
	iov_iter_advance(&iter, sent);
	if (!copy_from_iter_full(part->data, part->size, &iter)) {
		kfree(part);
		return -EFAULT;
	}

	list_add_tail(&part->link, &session->backlog);
	WRITE_ONCE(session->backlog_size, session->backlog_size + part->size);
	queue_work(kvmi_workqueue, &session->backlog_work);

	return 0;
}

/* The receive thread, before it takes a message. */
int kvmi_backlog_wait(struct kvmi_session *session)
{
	return wait_event_killable(session->backlog_room,
				   READ_ONCE(session->backlog_size) <
				   BACKLOG_MAX);
}
