// SPDX-License-Identifier: GPL-2.0-only
/*
 * File descriptors that a tool sends along with a message are dropped, not
 * kept: the other end of a pipe sees that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void send_with_fd(struct peer *peer, const void *bytes, size_t size,
			 int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { (void *)bytes, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	expect(size, must(sendmsg(peer->fd, &msg, MSG_NOSIGNAL)));
}

static void expect_dropped(int end)
{
	char c;

	must(fcntl(end, F_SETFL, O_NONBLOCK));
	/* -1 with EAGAIN while somebody holds the writing end. */
	wait_for(read(end, &c, 1) == 0);
	close(end);
}

int main(void)
{
	struct kvmi_msg_hdr hdr = { .id = KVMI_GET_VERSION, .seq = 5 };
	struct peer_message reply;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	int pipes[2];

	must(pipe(pipes));
	send_with_fd(&peer, &hdr, sizeof(hdr), pipes[1]);
	close(pipes[1]);
	expect(0, peer_reply(&peer, KVMI_GET_VERSION, 5, &reply));
	expect_dropped(pipes[0]);

	/* Never received: it goes with the socket. */
	must(pipe(pipes));
	hdr.size = KVMI_MAX_MSG_SIZE;
	peer_write(&peer, &hdr, sizeof(hdr));
	send_with_fd(&peer, "x", 1, pipes[1]);
	close(pipes[1]);
	unhook(vm);
	peer_close(&peer);
	expect_dropped(pipes[0]);

	hook_expect_usable(vm);
	vmm_destroy(vm);
	return 0;
}
