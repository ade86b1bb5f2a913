// SPDX-License-Identifier: GPL-2.0-or-later
/* Where gdb comes from: a port, a UNIX socket, or who has started this. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gdb.h"

#define LOCAL		"127.0.0.1"
#define TEXT_SIZE	256

static int begin(int fd, const struct sockaddr *address, socklen_t size)
{
	const int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, size) || listen(fd, 1))
		return -errno;
	return 0;
}

/* One that nobody listens on is left over. */
static void remove_dead(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && !lstat(address->sun_path, &st) && S_ISSOCK(st.st_mode) &&
	    connect(fd, (const void *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int listen_unix(struct gdb_listener *l)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int err;

	if (strlen(l->where) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, l->where);
	remove_dead(&address);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return -errno;
	mask = umask(077);
	err = begin(l->fd, (const void *)&address, sizeof(address));
	umask(mask);
	l->is_unix = !err;
	return err;
}

/* PORT, ADDRESS:PORT or [ADDRESS]:PORT */
static int listen_tcp(struct gdb_listener *l)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};
	char text[TEXT_SIZE], *port, *host = text;
	struct addrinfo *list;
	int err;

	if (strlen(l->where) >= sizeof(text))
		return -EINVAL;
	strcpy(text, l->where);
	port = strrchr(text, ':');
	if (port) {
		*port++ = '\0';
		if (*host == '[' && port[-2] == ']') {
			port[-2] = '\0';
			host++;
		}
	}
	if (getaddrinfo(port && *host ? host : LOCAL, port ? port : text,
			&hints, &list))
		return -EINVAL;
	l->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	err = l->fd < 0 ? -errno : begin(l->fd, list->ai_addr,
					 list->ai_addrlen);
	freeaddrinfo(list);
	return err;
}

int gdb_listen(struct gdb_listener *listener, const char *where)
{
	int err = 0;

	*listener = (struct gdb_listener){ .where = where, .fd = -1 };
	if (!strcmp(where, "-"))
		return 0;
	if (strchr(where, '/'))
		err = listen_unix(listener);
	else
		err = listen_tcp(listener);
	if (err) {
		complain(err, "cannot listen on %s for gdb; try another --listen",
			 where);
		gdb_listen_end(listener);
	}
	return err;
}

void gdb_listen_end(struct gdb_listener *listener)
{
	if (listener->is_unix)
		unlink(listener->where);
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}
