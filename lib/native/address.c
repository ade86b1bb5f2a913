// SPDX-License-Identifier: LGPL-2.1-or-later
/* Addresses: sockets to listen on, and what remains of them in the files. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "address.h"

static int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

static int set_path(struct sockaddr_un *sun, const char *path)
{
	size_t size = strlen(path) + 1;

	if (size == 1)
		return -EINVAL;
	if (size > sizeof(sun->sun_path))
		return -ENAMETOOLONG;

	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, size);
	return 0;
}

/* A socket that nobody listens on any more, left by a program that died. */
static bool is_dead(const struct sockaddr_un *sun)
{
	struct stat st;
	bool is_refused;
	int fd;

	if (lstat(sun->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return false;

	is_refused = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) &&
		     errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static int bind_path(int fd, const struct sockaddr_un *sun)
{
	const struct sockaddr *sa = (const struct sockaddr *)sun;

	if (!bind(fd, sa, sizeof(*sun)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_dead(sun))
		return -EADDRINUSE;

	unlink(sun->sun_path);
	return bind(fd, sa, sizeof(*sun)) ? -errno : 0;
}

/* Nobody can connect before listen(), so the mode is right in time. */
static int publish(struct address *address, int fd, const struct options *opts)
{
	const char *path = address->path.sun_path;
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	address->dev = st.st_dev;
	address->ino = st.st_ino;

	if (chmod(path, opts->socket_mode) || listen(fd, opts->backlog))
		return -errno;
	return 0;
}

int address_listen_unix(struct address *address, const char *path,
			const struct options *opts)
{
	int fd, err;

	err = set_path(&address->path, path);
	if (err)
		return err;
	fd = open_socket(AF_UNIX);
	if (fd < 0)
		return fd;

	err = bind_path(fd, &address->path);
	if (err) {
		close(fd);
		return err;
	}
	err = publish(address, fd, opts);
	if (err) {
		address_close(address, fd);
		return err;
	}
	return fd;
}

int address_listen_vsock(unsigned int port, const struct options *opts)
{
	struct sockaddr_vm svm = {
		.svm_family = AF_VSOCK,
		.svm_port = port,
		.svm_cid = VMADDR_CID_ANY,
	};
	int fd, err;

	fd = open_socket(AF_VSOCK);
	if (fd < 0)
		return fd;
	if (bind(fd, (struct sockaddr *)&svm, sizeof(svm)) ||
	    listen(fd, opts->backlog)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int address_check_listening(int fd)
{
	socklen_t size = sizeof(int);
	int is_listening;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size))
		return -errno;
	if (!is_listening)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return -errno;
	return 0;
}

void address_close(const struct address *address, int fd)
{
	const char *path = address->path.sun_path;
	struct stat st;

	if (*path && !lstat(path, &st) && st.st_dev == address->dev &&
	    st.st_ino == address->ino)
		unlink(path);
	close(fd);
}
