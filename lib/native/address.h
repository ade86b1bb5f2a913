/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses: sockets to listen on, and what remains of them in the files. */
#ifndef KVMI_NATIVE_ADDRESS_H
#define KVMI_NATIVE_ADDRESS_H

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "options.h"

/* All zeros is an address that left nothing. */
struct address {
	struct sockaddr_un path;	/* of the socket */
	dev_t dev;
	ino_t ino;
};

/* Returns a listening socket. */
int address_listen_unix(struct address *address, const char *path,
			const struct options *opts);
int address_listen_vsock(unsigned int port, const struct options *opts);
/* Errors: -EBADF, -ENOTSOCK, -EINVAL: the socket does not listen. */
int address_check_listening(int fd);
/* Closes the socket and removes its file unless it is another one by now. */
void address_close(const struct address *address, int fd);

#endif
