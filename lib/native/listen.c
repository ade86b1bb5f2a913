// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Listening: device managers connect and say which VM they have. Those that
 * nobody wants yet are parked before the answer, so their VMs are not hooked.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "known.h"
#include "vm.h"

/* Connections before their session. More are turned away. */
#define PEERS_MAX 256

struct peer {
	struct peer *next;
	int fd;
	bool is_parked;		/* the hello is complete */
	int64_t deadline;	/* of the hello */
	struct hello hello;
};

struct kvmi_listener {
	struct options opts;
	struct address address;
	int fd;
	int epoll_fd;
	unsigned int peer_count;
	struct peer *peers;	/* oldest first */
	struct known known;	/* VMs that had a session */
};

static int watch(struct kvmi_listener *l, int fd, void *peer)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = peer };

	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int create(struct kvmi_listener **out, const struct kvmi_options *user)
{
	struct kvmi_listener *l;
	int err;

	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	err = options_read(&l->opts, user);
	if (err)
		goto err_free;

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		err = -errno;
		goto err_free;
	}
	*out = l;
	return 0;

err_free:
	free(l);
	return err;
}

static void destroy(struct kvmi_listener *l)
{
	close(l->epoll_fd);
	options_wipe(&l->opts);
	free(l);
}

int kvmi_listener_open_unix(struct kvmi_listener **out, const char *path,
			    const struct kvmi_options *user)
{
	struct kvmi_listener *l;
	int err;

	err = create(&l, user);
	if (err)
		return err;

	l->fd = address_listen_unix(&l->address, path, &l->opts);
	err = l->fd < 0 ? l->fd : watch(l, l->fd, NULL);
	if (err) {
		if (l->fd >= 0)
			address_close(&l->address, l->fd);
		destroy(l);
		return err;
	}
	*out = l;
	return 0;
}

int kvmi_listener_open_vsock(struct kvmi_listener **out, unsigned int port,
			     const struct kvmi_options *user)
{
	struct options opts;
	int fd, err;

	err = options_read(&opts, user);
	if (err)
		return err;
	options_wipe(&opts);
	fd = address_listen_vsock(port, &opts);
	if (fd < 0)
		return fd;

	err = kvmi_listener_open_fd(out, fd, user);
	if (err)
		close(fd);
	return err;
}

int kvmi_listener_open_fd(struct kvmi_listener **out, int fd,
			  const struct kvmi_options *user)
{
	struct kvmi_listener *l;
	int err;

	err = address_check_listening(fd);
	if (err)
		return err;
	err = create(&l, user);
	if (err)
		return err;

	l->fd = fd;
	err = watch(l, fd, NULL);
	if (err) {
		destroy(l);
		return err;
	}
	*out = l;
	return 0;
}

int kvmi_listener_get_fd(const struct kvmi_listener *l)
{
	return l->epoll_fd;
}

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
	err = watch(l, fd, peer);
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

/* A parked peer must be silent: whatever comes is its end. */
static void hear_peer(struct kvmi_listener *l, struct peer *peer)
{
	int r;

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

static int start_session(struct kvmi_listener *l, struct peer *peer,
			 struct kvmi_vm **vm)
{
	int err;

	remove_peer(l, peer);
	err = vm_start(vm, peer->fd, &peer->hello, &l->opts);
	if (err)
		close(peer->fd);
	free(peer);
	if (err)
		return err;
	err = tell_return(l, *vm);
	if (err)
		kvmi_vm_close(*vm);
	return err;
}

int kvmi_listener_accept(struct kvmi_listener *l, const char *wanted,
			 int timeout, struct kvmi_vm **vm)
{
	int64_t deadline = clock_deadline(timeout);
	struct peer *peer;
	int err;

	while (!(peer = find_parked(l, wanted))) {
		err = listen_once(l, deadline);
		if (err == -ETIMEDOUT && !timeout)
			return -EAGAIN;
		if (err)
			return err;
	}
	return start_session(l, peer, vm);
}

int kvmi_listener_get_parked(const struct kvmi_listener *l, unsigned int index,
			     struct kvmi_identity *id)
{
	const struct peer *peer;

	for (peer = l->peers; peer; peer = peer->next)
		if (peer->is_parked && !index--)
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
	destroy(l);
}
