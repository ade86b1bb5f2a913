// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All that a peer can ever say: the hello, the ready, and every message after
 * it. The first byte chooses which good ones come first, and if there is a key.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <kvmi/handshake.h>
#include <kvmi/kvmi.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void say(int fd, const void *data, size_t size)
{
	/* More than the socket holds is cut, which is one more case. */
	send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Offers to say when it is ready, and to prove a key. */
static void say_good_offer(int fd)
{
	const struct {
		struct kvmi_qemu2introspector hello;
		struct kvmi_handshake_record record;
		struct kvmi_handshake_features features;
		struct kvmi_handshake_record nonce;
		uint8_t bytes[KVMI_HANDSHAKE_NONCE_SIZE];
	} offer = {
		.hello = { .struct_size = sizeof(offer), .max_gpa = 1 << 20 },
		.record = { KVMI_RECORD_FEATURES, 0, sizeof(offer.features) },
		.features.features = KVMI_FEATURE_READY | KVMI_FEATURE_HMAC,
		.nonce = { KVMI_RECORD_NONCE, 0, sizeof(offer.bytes) },
	};

	say(fd, &offer, sizeof(offer));
}

static void say_good_start(int fd)
{
	const struct kvmi_qemu2introspector hello = {
		.struct_size = sizeof(hello),
		.name = "fuzz",
	};
	const struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_error_code code;
		struct kvmi_get_version_reply version;
	} reply = {
		.hdr = { KVMI_GET_VERSION, sizeof(reply) - 8, 1 },
		.version = { .version = KVMI_VERSION },
	};

	say(fd, &hello, sizeof(hello));
	say(fd, &reply, sizeof(reply));
}

static void ask_everything(struct kvmi_vm *vm)
{
	struct kvmi_vm_get_info_reply info;
	struct kvmi_memory_area area = { .size = sizeof(area) };
	uint8_t memory[3 * 4096];
	struct kvmi_event *event;
	unsigned int i;
	uint64_t gfn;
	int status[3];

	for (i = 0; !kvmi_vm_get_memory_area(vm, i, &area); i++)
		if (area.gpa + area.length < area.gpa)
			abort();

	kvmi_vm_get_info(vm, &info);
	kvmi_vm_read_physical(vm, 4000, memory, 5000);
	kvmi_vm_read_pages(vm, 0, memory, 3, status);
	kvmi_vm_get_max_gfn(vm, &gfn);
	while (!kvmi_vm_next_event(vm, 0, &event))
		kvmi_event_free(event);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	int fds[2];

	if (!size || socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		return 0;
	if (bytes[0] & 2)
		say_good_offer(fds[1]);
	else if (bytes[0] & 1)
		say_good_start(fds[1]);
	say(fds[1], bytes + 1, size - 1);
	shutdown(fds[1], SHUT_WR);

	kvmi_options_init(&opts);
	if (bytes[0] & 6) {
		opts.key = "key";
		opts.key_size = 3;
	}
	opts.settle_time = -1;
	opts.handshake_timeout = 1000;
	opts.command_timeout = 1000;
	if (!kvmi_vm_open_fd(&vm, fds[0], &opts)) {
		ask_everything(vm);
		kvmi_vm_close(vm);
	} else {
		close(fds[0]);
	}
	close(fds[1]);
	return 0;
}
