// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The start of a session, from a complete hello to KVM's first answer, in as many
 * steps as it takes.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "ready.h"
#include "vm.h"

struct start {
	struct options opts;	/* of this VM, as judged */
	struct hello_answer answer;
	struct ready ready;
	bool is_ready;
	bool is_asked;		/* KVM, for its version */
};

static void log_start(const struct kvmi_vm *vm, int err)
{
	char uuid[KVMI_UUID_TEXT_SIZE];

	kvmi_uuid_format(vm->hello.msg.uuid, uuid);
	if (err)
		log_say(&vm->opts.log, KVMI_LOG_ERROR, "vm %s (%s): %s", uuid,
			kvmi_vm_get_name(vm), kvmi_strerror(err));
	else
		log_say(&vm->opts.log, KVMI_LOG_INFO, "vm %s (%s): hooked",
			uuid, kvmi_vm_get_name(vm));
}

/* The program may refuse the VM, or have another key for it. */
static int judge(const struct kvmi_vm *vm, struct options *opts)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	uint8_t hash[KVMI_HASH_SIZE];
	int err;

	if (!opts->hello)
		return 0;
	hello_identity(&vm->hello, &id);
	memcpy(hash, opts->hash, sizeof(hash));
	err = opts->hello(opts->hello_data, &id, hash);
	if (!memcmp(hash, opts->hash, sizeof(hash)))
		return err;

	/* Of that key only the hash is here, so there is nothing to prove. */
	memcpy(opts->hash, hash, sizeof(hash));
	opts->has_key = false;
	return err;
}

void vm_end_start(struct kvmi_vm *vm)
{
	if (!vm->start)
		return;
	ready_close_fds(&vm->start->ready);
	options_wipe(&vm->start->opts);
	free(vm->start);
	vm->start = NULL;
}

static int shake_hands(struct kvmi_vm *vm, const struct options *opts)
{
	struct start *start = calloc(1, sizeof(*start));
	int err;

	if (!start)
		return -ENOMEM;
	vm->start = start;
	start->opts = *opts;
	err = judge(vm, &start->opts);
	if (!err)
		err = answer_make(&start->answer, &vm->hello, &start->opts);
	if (!err)
		err = answer_send(&start->answer, vm->channel.fd);
	vm->hello.msg.name[sizeof(vm->hello.msg.name) - 1] = '\0';
	return err;
}

int vm_begin(struct kvmi_vm **out, int fd, const struct hello *hello,
	     const struct options *opts)
{
	struct kvmi_vm *vm = NULL;
	int err;

	err = vm_create(&vm, fd, hello, opts);
	if (err)
		return err;
	err = shake_hands(vm, opts);
	if (err) {
		log_start(vm, err);
		kvmi_vm_close(vm);
		return err;
	}
	*out = vm;
	return 0;
}

/* The device manager has told that it is ready, if it does. */
static int take_ready(struct kvmi_vm *vm, int64_t deadline)
{
	struct start *start = vm->start;
	const uint32_t features = start->answer.features;
	int err = 0;

	if (start->is_ready)
		return 0;
	if (features & KVMI_FEATURE_READY)
		err = ready_receive(&start->ready, vm->channel.fd, &vm->hello,
				    &start->answer, &start->opts, deadline);
	if (!err && (features & KVMI_FEATURE_MEMORY))
		err = shared_init(&vm->shared, &start->ready);
	if (err)
		return err;
	ready_close_fds(&start->ready);
	vm->features = features;
	start->is_ready = true;
	return 0;
}

static int check_version(struct kvmi_vm *vm, const struct kvmi_reply *reply)
{
	struct kvmi_get_version_reply version;
	const void *data;
	size_t size;
	int err;

	err = kvmi_reply_get_error(reply, NULL);
	if (err)
		return err;
	data = kvmi_reply_get_data(reply, &size);
	if (size < sizeof(version)) {
		log_say(&vm->opts.log, KVMI_LOG_ERROR,
			"the kernel speaks another, older protocol");
		channel_breach(&vm->channel);
		return -EPROTO;
	}
	memcpy(&version, data, sizeof(version));
	if (version.version == KVMI_VERSION)
		return 0;
	log_say(&vm->opts.log, KVMI_LOG_ERROR,
		"the kernel speaks version %u of the protocol, and not %u",
		version.version, KVMI_VERSION);
	return -EOPNOTSUPP;
}

/* KVM's first answer: the hook is done, and this is the right protocol. */
static int take_version(struct kvmi_vm *vm, int64_t deadline)
{
	struct kvmi_reply *reply;
	int err = 0;

	if (!vm->start->is_asked)
		err = kvmi_vm_submit(vm, KVMI_GET_VERSION, NULL, 0, NULL);
	vm->start->is_asked = true;
	if (!err)
		err = kvmi_vm_next_reply(vm, clock_left(deadline), &reply);
	if (err == -EAGAIN)
		return -ETIMEDOUT;
	if (!err) {
		err = check_version(vm, reply);
		kvmi_reply_free(reply);
	}
	return err == -ECONNRESET ? -ECONNREFUSED : err;
}

int vm_go_on(struct kvmi_vm *vm, int64_t deadline)
{
	int err;

	err = take_ready(vm, deadline);
	if (!err)
		err = take_version(vm, deadline);
	if (err == -ETIMEDOUT)
		return err;
	log_start(vm, err);
	vm_end_start(vm);

	/* Who says that it is ready has given all permissions before. */
	vm->settled_at = clock_ms();
	if (vm->opts.settle_time > 0 && !(vm->features & KVMI_FEATURE_READY))
		vm->settled_at += vm->opts.settle_time;
	return err;
}

int vm_start(struct kvmi_vm **out, int fd, const struct hello *hello,
	     const struct options *opts)
{
	struct kvmi_vm *vm;
	int err;

	err = vm_begin(&vm, fd, hello, opts);
	if (err)
		return err;
	err = vm_go_on(vm, clock_deadline(opts->handshake_timeout));
	if (err) {
		kvmi_vm_close(vm);
		return err;
	}

	close(fd);
	*out = vm;
	return 0;
}
