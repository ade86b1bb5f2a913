// SPDX-License-Identifier: LGPL-2.1-or-later
/* Listeners: how they are made, of a path, a port or a socket. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "listener.h"

static int watch_by(int epoll_fd, int fd, void *peer)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = peer };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

int listener_watch(struct kvmi_listener *l, int fd, void *peer)
{
	return watch_by(l->epoll_fd, fd, peer);
}

static void close_polls(struct kvmi_listener *l)
{
	const int fds[] = { l->epoll_fd, l->done_fd, l->poll_fd };
	size_t i;

	for (i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int create_polls(struct kvmi_listener *l)
{
	int err;

	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0 || l->done_fd < 0 || l->poll_fd < 0)
		err = -errno;
	else
		err = watch_by(l->poll_fd, l->epoll_fd, NULL);
	if (!err)
		err = watch_by(l->poll_fd, l->done_fd, NULL);
	if (err)
		close_polls(l);
	return err;
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

	err = create_polls(l);
	if (err)
		goto err_free;
	*out = l;
	return 0;

err_free:
	free(l);
	return err;
}

void listener_destroy(struct kvmi_listener *l)
{
	close_polls(l);
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
	err = l->fd < 0 ? l->fd : listener_watch(l, l->fd, NULL);
	if (err) {
		if (l->fd >= 0)
			address_close(&l->address, l->fd);
		listener_destroy(l);
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
	err = listener_watch(l, fd, NULL);
	if (err) {
		listener_destroy(l);
		return err;
	}
	*out = l;
	return 0;
}

int kvmi_listener_get_fd(const struct kvmi_listener *l)
{
	return l->poll_fd;
}
