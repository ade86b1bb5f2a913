// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the socket between the kernel and the tool.
 *
 * The peer is not trusted: it may send file descriptors along, one byte at a
 * time, or nothing, and may never read.
 */
#include <linux/net.h>
#include <linux/socket.h>
#include <net/sock.h>

#include "introspection.h"

/* A socket that is not a connected stream would make every receive fail. */
struct socket *kvmi_channel_get(int fd)
{
	struct socket *sock;
	int r;

	sock = sockfd_lookup(fd, &r);
	if (!sock)
		return ERR_PTR(-EINVAL);

	if (sock->type != SOCK_STREAM || sock->state != SS_CONNECTED) {
		sockfd_put(sock);
		return ERR_PTR(-EINVAL);
	}

	return sock;
}

void kvmi_channel_put(struct socket *sock)
{
	sockfd_put(sock);
}

/* May be called by anybody, at any time, any number of times. */
void kvmi_channel_close(struct kvmi_session *session)
{
	kernel_sock_shutdown(session->sock, SHUT_RDWR);
}

/*
 * Throws away what the peer sent before the socket was shut down. It might be
 * a descriptor of this very VM, which would then keep the socket, which keeps
 * the descriptor. Only a UNIX socket carries such things, and it takes nothing
 * more once it is shut down.
 */
void kvmi_channel_drain(struct kvmi_session *session)
{
	char buf[64];
	struct kvec vec = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg;

	if (session->sock->ops->family != AF_UNIX)
		return;

	do {
		msg = (struct msghdr){};
	} while (kernel_recvmsg(session->sock, &msg, &vec, 1, sizeof(buf),
				MSG_DONTWAIT) > 0);
}

/*
 * MSG_WAITALL is not enough: a UNIX socket ends a read at a message that has
 * file descriptors with it. Those are dropped, as there is no control buffer.
 */
int kvmi_channel_receive(struct kvmi_session *session, void *buf, size_t size)
{
	while (size) {
		struct kvec vec = { .iov_base = buf, .iov_len = size };
		struct msghdr msg = {};
		int r;

		r = kernel_recvmsg(session->sock, &msg, &vec, 1, size,
				   MSG_WAITALL);
		if (r < 0)
			return r;
		if (r == 0)
			return -ENOTCONN;

		buf += r;
		size -= r;
	}

	return 0;
}

/* Waits until the peer takes some; returns how many bytes it took. */
int kvmi_channel_send_bytes(struct kvmi_session *session, const void *data,
			    size_t size)
{
	struct kvec vec = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL };

	return kernel_sendmsg(session->sock, &msg, &vec, 1, size);
}

/* Takes what goes at once; 0 bytes when none does. */
static int send_now(struct kvmi_session *session, const struct kvec *vec,
		    size_t n, size_t size)
{
	struct msghdr msg = { .msg_flags = MSG_NOSIGNAL | MSG_DONTWAIT };
	int r;

	if (!kvmi_backlog_is_empty(session))
		return 0;
	r = kernel_sendmsg(session->sock, &msg, (struct kvec *)vec, n, size);

	return r == -EAGAIN ? 0 : r;
}

/*
 * One message is one call, and never waits for the peer. After an error the
 * stream is broken: the caller closes it.
 */
int kvmi_channel_send(struct kvmi_session *session, const struct kvec *vec,
		      size_t n)
{
	size_t i, size = 0;
	int r;

	lockdep_assert_held(&session->send_lock);

	for (i = 0; i < n; i++)
		size += vec[i].iov_len;

	r = send_now(session, vec, n, size);
	if (r < 0 || r == size)
		return min(r, 0);

	return kvmi_backlog_add(session, vec, n, size, r);
}
