// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The ready: the device manager's last word, before that of the kernel. No byte
 * behind it is read here.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "proof.h"
#include "ready.h"

static size_t wants(const struct ready *ready)
{
	const size_t head = sizeof(ready->msg.struct_size);

	return (ready->got < head ? head : ready->msg.struct_size) - ready->got;
}

static bool is_possible(const struct ready *ready)
{
	return ready->got < sizeof(ready->msg.struct_size) ||
	       (ready->msg.struct_size >= sizeof(ready->msg) &&
		ready->msg.struct_size <= KVMI_HANDSHAKE_MAX);
}

/* Those for which there is no room are closed. */
static void keep_fds(struct ready *ready, const struct cmsghdr *head)
{
	const unsigned char *data = CMSG_DATA(head);
	size_t i, count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (i = 0; i < count; i++) {
		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		if (ready->fd_count < KVMI_HANDSHAKE_FDS_MAX)
			ready->fds[ready->fd_count++] = fd;
		else
			close(fd);
	}
}

static ssize_t receive_with_fds(struct ready *ready, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(KVMI_HANDSHAKE_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { ready->bytes + ready->got, wants(ready) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *head;
	ssize_t n;

	n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return n;
	for (head = CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head))
		if (head->cmsg_level == SOL_SOCKET &&
		    head->cmsg_type == SCM_RIGHTS)
			keep_fds(ready, head);
	return n;
}

/* Returns 0 also if nothing came. Unasked descriptors are not taken. */
static int receive(struct ready *ready, int fd, bool with_fds)
{
	ssize_t n;

	if (with_fds)
		n = receive_with_fds(ready, fd);
	else
		n = recv(fd, ready->bytes + ready->got, wants(ready),
			 MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -ECONNREFUSED;
	ready->got += (size_t)n;
	return is_possible(ready) ? 0 : -EPROTO;
}

static int receive_all(struct ready *ready, int fd, bool with_fds,
		       int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int r;

	while (wants(ready)) {
		r = poll(&pfd, 1, clock_left(deadline));
		if (!r)
			return -ETIMEDOUT;
		if (r < 0 && errno != EINTR)
			return -errno;
		r = r < 0 ? 0 : receive(ready, fd, with_fds);
		if (r)
			return r;
	}
	return 0;
}

static int check_proof(const struct ready *ready, const struct hello *hello,
		       const struct hello_answer *answer, const struct options *opts)
{
	uint8_t proof[KVMI_HANDSHAKE_PROOF_SIZE];
	const struct iovec said[] = {
		{ (void *)hello->bytes, hello->got },
		{ (void *)answer->bytes, answer->size },
		{ (void *)ready->bytes, ready->tail.proof },
	};
	int err;

	if (!ready->tail.proof)
		return -EKEYREJECTED;
	err = proof_make(opts->mac_key, KVMI_HANDSHAKE_LABEL_QEMU, said, 3,
			 proof);
	if (err)
		return err;
	return proof_equal(proof, ready->bytes + ready->tail.proof) ?
	       0 : -EKEYREJECTED;
}

int ready_receive(struct ready *ready, int fd, const struct hello *hello,
		  const struct hello_answer *answer, const struct options *opts,
		  int64_t deadline)
{
	int err;

	err = receive_all(ready, fd, answer->features & KVMI_FEATURE_MEMORY,
			  deadline);
	if (!err)
		err = tail_read(&ready->tail, ready->bytes, sizeof(ready->msg),
				ready->got);
	if (!err && (answer->features & KVMI_FEATURE_HMAC))
		err = check_proof(ready, hello, answer, opts);
	if (!err && ready->msg.features != answer->features)
		err = -EPROTO;
	return err;
}

void ready_close_fds(struct ready *ready)
{
	while (ready->fd_count)
		close(ready->fds[--ready->fd_count]);
}
