// SPDX-License-Identifier: GPL-2.0-or-later
/* A device manager that shares the memory of its guest. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sharer.h"

const struct kvmi_handshake_range sharer_ranges[2] = {
	{ .gpa = MIB, .size = 4 * MIB, .offset = MIB },
	{ .gpa = 4096 * MIB, .size = 2 * MIB, .offset = 5 * MIB },
};

int sharer_file(unsigned int seals)
{
	int fd = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, SHARER_FILE_SIZE) ||
			fcntl(fd, F_ADD_SEALS, seals))) {
		close(fd);
		return -1;
	}
	return fd;
}

void sharer_init(struct sharer *s)
{
	*s = (struct sharer){
		.features = KVMI_FEATURE_READY | KVMI_FEATURE_MEMORY,
		.fds[0] = sharer_file(F_SEAL_SHRINK),
		.fd_count = 1,
		.range_count = 2,
	};
	memcpy(s->ranges, sharer_ranges, sizeof(sharer_ranges));
}

void sharer_uninit(struct sharer *s)
{
	while (s->fd_count)
		close(s->fds[--s->fd_count]);
}

static int send_with_fds(int fd, const void *data, size_t size,
			 const struct sharer *s)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(s->fds))];
	} control = { 0 };
	struct iovec iov = { (void *)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (s->fd_count) {
		control.head.cmsg_len = CMSG_LEN(s->fd_count * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.head), s->fds,
		       s->fd_count * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(s->fd_count * sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)size ? 0 : -EPIPE;
}

static int say_ready(int fd, const struct sharer *s, uint32_t features)
{
	struct kvmi_handshake_ready head = { sizeof(head), features };
	uint8_t ready[512];
	size_t size = sizeof(head);

	memcpy(ready, &head, sizeof(head));
	if (!s->has_no_record)
		size = peer_append(ready, size, KVMI_RECORD_MEMORY, s->ranges,
				   s->range_count * sizeof(s->ranges[0]));
	return send_with_fds(fd, ready, size, s);
}

int sharer_begin(int fd, const struct sharer *s)
{
	uint8_t hello[512], answer[64] = { 0 };
	uint32_t features;
	int err;

	err = script_send(fd, hello,
			  peer_long_hello(hello, "shared", 1, s->features));
	if (!err)
		err = script_receive(fd, answer, 40);
	memcpy(&features, answer + 32, sizeof(features));
	return err ? err : say_ready(fd, s, features);
}
