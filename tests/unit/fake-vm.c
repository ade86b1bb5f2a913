// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM without a VM: connects like QEMU and answers like the kernel.
 *
 *	fake-vm SOCKET NAME MEMORY-FILE [HEX-DIGIT-PAIR OF UUID] [HOLE END]
 *
 * Reconnects every 100 ms until it is killed. One called "old" has no single
 * step. What is written into the memory
 * stays in the file.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer.h"

static int map_file(struct peer_memory *memory, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		return -1;
	memory->size = (uint64_t)st.st_size;
	memory->bytes = mmap(NULL, memory->size, PROT_READ | PROT_WRITE,
			     MAP_SHARED, fd, 0);
	close(fd);
	return memory->bytes == MAP_FAILED ? -1 : 0;
}

static void be_vm(const struct sockaddr_un *sun, const char *name, int uuid,
		  const struct peer_memory *memory)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	union {
		struct kvmi_qemu2introspector known;
		uint8_t bytes[1024];
	} hello;

	peer_long_hello(hello.bytes, name, (uint8_t)uuid, 0);
	if (!connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) &&
	    !peer_handshake(fd, &hello.known, NULL))
		peer_serve(fd, memory);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct peer_memory memory = { 0 };

	if (argc < 4 || map_file(&memory, argv[3])) {
		fputs("usage: fake-vm SOCKET NAME MEMORY-FILE [UUID-BYTE] [HOLE END]\n",
		      stderr);
		return 2;
	}
	if (argc > 6) {
		memory.hole = strtoull(argv[5], NULL, 0);
		memory.hole_end = strtoull(argv[6], NULL, 0);
	}
	memory.is_old = !strcmp(argv[2], "old");
	strncpy(sun.sun_path, argv[1], sizeof(sun.sun_path) - 1);

	for (;;) {
		be_vm(&sun, argv[2], argc > 4 ? (int)strtol(argv[4], NULL, 16) : 1,
		      &memory);
		usleep(100 * 1000);
	}
}
