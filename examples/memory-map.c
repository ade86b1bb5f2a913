// SPDX-License-Identifier: LGPL-2.1-or-later
/* Accept the first VM that connects and print which of its memory exists. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <kvmi/kvmi.h>

#define PAGE	4096
#define CHUNK	256

static uint8_t data[CHUNK * PAGE];

static void check(int err, const char *what)
{
	if (!err)
		return;
	fprintf(stderr, "%s: %s\n", what, kvmi_strerror(err));
	exit(1);
}

static void print_map(struct kvmi_vm *vm, uint64_t frames)
{
	uint64_t start = 0, frame;
	int status[CHUNK];
	int is_there = 0;

	for (frame = 0; frame <= frames; frame++) {
		if (frame % CHUNK == 0)
			check(kvmi_vm_read_pages(vm, frame * PAGE, data, CHUNK,
						 status), "read");
		if (is_there == !status[frame % CHUNK])
			continue;
		is_there = !is_there;
		if (is_there)
			start = frame;
		else
			printf("0x%010" PRIx64 "-0x%010" PRIx64 " %" PRIu64 " KiB\n",
			       start * PAGE, frame * PAGE, (frame - start) * 4);
	}
}

int main(int argc, char **argv)
{
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	uint64_t frames;

	if (argc != 2) {
		fprintf(stderr, "usage: %s SOCKET\n", argv[0]);
		return 2;
	}
	kvmi_options_init(&opts);
	check(kvmi_listener_open_unix(&listener, argv[1], &opts), "listen");
	check(kvmi_listener_accept(listener, NULL, 30000, &vm), "accept");
	check(kvmi_vm_get_max_gfn(vm, &frames), "end of memory");

	printf("%s\n", kvmi_vm_get_name(vm));
	print_map(vm, frames);

	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
