// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Listening: device managers connect and say which VM they have. Those that
 * nobody wants yet are parked before the answer, so their VMs are not hooked.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"

static void remove_peer(struct kvmi_listener *l, struct peer *peer)
{
	struct peer **link = &l->peers;

	while (*link != peer)
		link = &(*link)->next;
	*link = peer->next;
	l->peer_count--;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, peer->fd, NULL);
}

static void drop_peer(struct kvmi_listener *l, struct peer *peer,
		      const char *why)
{
	log_say(&l->opts.log, KVMI_LOG_ERROR, "connection dropped: %s", why);
	remove_peer(l, peer);
	kvmi_vm_close(peer->vm);
	close(peer->fd);
	free(peer);
}

static int add_peer(struct kvmi_listener *l, int fd)
{
	struct peer **link = &l->peers;
	struct peer *peer;
	int err;

	peer = calloc(1, sizeof(*peer));
	if (!peer)
		return -ENOMEM;
	peer->fd = fd;
	peer->deadline = clock_deadline(l->opts.handshake_timeout);
	err = listener_watch(l, fd, peer);
	if (err) {
		free(peer);
		return err;
	}

	while (*link)
		link = &(*link)->next;
	*link = peer;
	l->peer_count++;
	return 0;
}

static int connect_peer(struct kvmi_listener *l)
{
	int fd, err;

	fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 && (errno == EAGAIN || errno == EINTR ||
		       errno == ECONNABORTED))
		return 0;
	if (fd < 0)
		return -errno;
	if (l->peer_count == PEERS_MAX) {
		log_say(&l->opts.log, KVMI_LOG_ERROR,
			"connection dropped: too many before it");
		close(fd);
		return 0;
	}

	err = add_peer(l, fd);
	if (err)
		close(fd);
	return err;
}

/* What is done is not watched any more: its bytes are the session's. */
static void go_on(struct kvmi_listener *l, struct peer *peer, int64_t deadline)
{
	if (peer->result != -EAGAIN)
		return;
	peer->result = vm_go_on(peer->vm, deadline);
	if (peer->result == -ETIMEDOUT && clock_left(peer->deadline)) {
		peer->result = -EAGAIN;
		return;
	}
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, peer->fd, NULL);
	if (!l->done_count++)
		eventfd_write(l->done_fd, 1);
}

/* A parked peer must be silent: whatever comes is its end. */
static void hear_peer(struct kvmi_listener *l, struct peer *peer)
{
	int r;

	if (peer->vm) {
		go_on(l, peer, clock_deadline(0));
		return;
	}
	if (peer->is_parked) {
		drop_peer(l, peer, "the parked device manager left");
		return;
	}
	r = hello_receive(&peer->hello, peer->fd);
	if (r < 0)
		drop_peer(l, peer, kvmi_strerror(r));
	else
		peer->is_parked = r;
}

static int64_t drop_late_peers(struct kvmi_listener *l, int64_t deadline)
{
	struct peer *peer, *next;

	for (peer = l->peers; peer; peer = next) {
		next = peer->next;
		if (peer->is_parked)
			continue;
		if (!clock_left(peer->deadline))
			drop_peer(l, peer, "no hello in time");
		else if (peer->deadline < deadline)
			deadline = peer->deadline;
	}
	return deadline;
}

static struct peer *find_parked(const struct kvmi_listener *l,
				const char *wanted)
{
	struct peer *peer;

	for (peer = l->peers; peer; peer = peer->next)
		if (peer->is_parked && hello_is_of(&peer->hello, wanted))
			return peer;
	return NULL;
}

/* One event at a time, for dropping a peer must not leave it in a list. */
static int listen_once(struct kvmi_listener *l, int64_t deadline)
{
	struct epoll_event ev;
	int n;

	n = epoll_wait(l->epoll_fd, &ev, 1,
		       clock_left(drop_late_peers(l, deadline)));
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (!n)
		return clock_left(deadline) ? 0 : -ETIMEDOUT;
	if (!ev.data.ptr)
		return connect_peer(l);

	hear_peer(l, ev.data.ptr);
	return 0;
}

/* A VM that comes again has become of the one before. */
static int tell_return(struct kvmi_listener *l, struct kvmi_vm *vm)
{
	struct kvmi_identity now = { .size = sizeof(now) };
	enum kvmi_run run;
	int64_t before;

	if (!l->opts.has_own_events)
		return 0;
	kvmi_vm_get_identity(vm, &now);
	run = known_note(&l->known, &now, &before);
	return run == KVMI_RUN_OTHER ? 0 : vm_tell_return(vm, run, before);
}

/* The session, or why there is none, to the program. */
static int take_session(struct kvmi_listener *l, struct peer *peer,
			struct kvmi_vm **vm)
{
	int err = peer->result;
	eventfd_t ignored;

	remove_peer(l, peer);
	if (!--l->done_count)
		eventfd_read(l->done_fd, &ignored);
	if (!err)
		err = tell_return(l, peer->vm);
	if (err)
		kvmi_vm_close(peer->vm);
	else
		*vm = peer->vm;
	close(peer->fd);
	free(peer);
	return err;
}

static int begin_session(struct kvmi_listener *l, struct peer *peer)
{
	int err;

	if (peer->vm)
		return 0;
	err = vm_begin(&peer->vm, peer->fd, &peer->hello, &l->opts);
	if (err) {
		remove_peer(l, peer);
		close(peer->fd);
		free(peer);
		return err;
	}
	peer->result = -EAGAIN;
	peer->deadline = clock_deadline(l->opts.handshake_timeout);
	return 0;
}

/* All that has come; a crowd gets its turn again later. */
static int look(struct kvmi_listener *l)
{
	const int64_t now = clock_deadline(0);
	int rounds, err = 0;

	for (rounds = 0; rounds < PEERS_MAX && !err; rounds++)
		err = listen_once(l, now);
	return err == -ETIMEDOUT ? 0 : err;
}

int kvmi_listener_accept(struct kvmi_listener *l, const char *wanted,
			 int timeout, struct kvmi_vm **vm)
{
	int64_t deadline = clock_deadline(timeout);
	struct peer *peer;
	int err = 0;

	if (!timeout)
		err = look(l);
	while (!err && !(peer = find_parked(l, wanted)))
		err = timeout ? listen_once(l, deadline) : -EAGAIN;
	if (!err)
		err = begin_session(l, peer);
	if (err)
		return err;
	go_on(l, peer, timeout ? peer->deadline : clock_deadline(0));
	return peer->result == -EAGAIN ? -EAGAIN : take_session(l, peer, vm);
}

int kvmi_listener_get_parked(const struct kvmi_listener *l, unsigned int index,
			     struct kvmi_identity *id)
{
	const struct peer *peer;

	for (peer = l->peers; peer; peer = peer->next)
		if (peer->is_parked && !peer->vm && !index--)
			return hello_identity(&peer->hello, id);
	return -ENOENT;
}

void kvmi_listener_close(struct kvmi_listener *l)
{
	if (!l)
		return;
	while (l->peers)
		drop_peer(l, l->peers, "the listener closes");
	address_close(&l->address, l->fd);
	listener_destroy(l);
}
