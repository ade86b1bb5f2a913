// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stddef.h>

#include <sys/socket.h>

#include "scarce.h"

__thread bool scarce_memory;
bool scarce_vsock;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);

void *__wrap_malloc(size_t size)
{
	return scarce_memory ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return scarce_memory ? NULL : __real_calloc(count, size);
}

int __wrap_socket(int domain, int type, int protocol)
{
	if (domain == AF_VSOCK && scarce_vsock) {
		errno = EAFNOSUPPORT;
		return -1;
	}
	return __real_socket(domain, type, protocol);
}
