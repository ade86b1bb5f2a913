/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A listener and those that have connected to it. */
#ifndef KVMI_NATIVE_LISTENER_H
#define KVMI_NATIVE_LISTENER_H

#include "address.h"
#include "known.h"
#include "vm.h"

/* Connections before their session. More are turned away. */
#define PEERS_MAX 256

struct peer {
	struct peer *next;
	int fd;
	bool is_parked;		/* the hello is complete */
	int64_t deadline;	/* of the hello, or of the start */
	struct kvmi_vm *vm;	/* that has been begun */
	int result;		/* of that, -EAGAIN: not yet */
	struct hello hello;
};

struct kvmi_listener {
	struct options opts;
	struct address address;
	int fd;
	int epoll_fd;		/* the socket and its peers */
	int done_fd;		/* readable while a start is done, not taken */
	int poll_fd;		/* for users: both */
	unsigned int done_count;
	unsigned int peer_count;
	struct peer *peers;	/* oldest first */
	struct known known;	/* VMs that had a session */
};

/* Has epoll_fd tell when @fd can be read; @peer is NULL for the socket. */
int listener_watch(struct kvmi_listener *l, int fd, void *peer);
/* Without its peers and its socket. */
void listener_destroy(struct kvmi_listener *l);

#endif
