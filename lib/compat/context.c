// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A context: a listener, and the thread that accepts VMs and calls the program
 * back.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "domain.h"
#include "setting.h"

struct context {
	enum object object;
	kvmi_new_guest_cb accept_cb;
	kvmi_handshake_cb hsk_cb;
	void *cb_ctx;
	struct kvmi_listener *listener;
	int stop_fd;
	pid_t pid;		/* of the thread */
	pthread_t thread;
	bool is_running;	/* there is a thread to join */
	bool is_orphan;		/* the thread frees all this */
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
	while (size && !bytes[size - 1])
		size--;
	return !size;
}

/* For the native library: @hash is that of the key file, or zero. */
static int judge(void *data, const struct kvmi_identity *id,
		 uint8_t hash[KVMI_HASH_SIZE])
{
	struct kvmi_v1_introspector2qemu intro = {
		.struct_size = sizeof(intro),
	};
	struct kvmi_v1_qemu2introspector qemu = {
		.struct_size = sizeof(qemu),
		.start_time = id->start_time,
	};
	const struct context *ctx = data;

	if (!ctx->hsk_cb)
		return 0;
	memcpy(qemu.uuid, id->uuid, sizeof(qemu.uuid));
	memcpy(qemu.name, id->name, sizeof(qemu.name));
	if (ctx->hsk_cb(&qemu, &intro, ctx->cb_ctx) < 0)
		return -EACCES;
	if (!is_zero(intro.cookie_hash, sizeof(intro.cookie_hash)))
		memcpy(hash, intro.cookie_hash, KVMI_HASH_SIZE);
	return 0;
}

static void welcome(struct context *ctx, struct kvmi_vm *vm)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct domain *dom;
	int err;

	err = domain_create(&dom, vm);
	if (err) {
		say(KVMI_LOG_LEVEL_ERROR, "vm %s: %s", kvmi_vm_get_name(vm),
		    kvmi_strerror(err));
		kvmi_vm_close(vm);
		return;
	}
	kvmi_vm_get_identity(vm, &id);
	if (ctx->accept_cb(dom, &id.uuid, ctx->cb_ctx))
		domain_close(dom, true);
}

static void destroy(struct context *ctx)
{
	kvmi_listener_close(ctx->listener);
	close(ctx->stop_fd);
	ctx->object = 0;
	free(ctx);
}

/* A VM that could not be had has its line in the log. */
static bool accept_one(struct context *ctx)
{
	struct kvmi_vm *vm;
	int err;

	err = kvmi_listener_accept(ctx->listener, NULL, 0, &vm);
	if (!err)
		welcome(ctx, vm);
	/* Out of descriptors, or alike: do not spin on it. */
	else if (err == -EMFILE || err == -ENFILE || err == -ENOMEM)
		clock_sleep(100);
	return err != -EBADF;
}

static void *run(void *arg)
{
	struct context *ctx = arg;
	struct pollfd pfds[] = {
		{ .fd = kvmi_listener_get_fd(ctx->listener), .events = POLLIN },
		{ .fd = ctx->stop_fd, .events = POLLIN },
	};

	/* Now and then, for who connects and says nothing is to be dropped. */
	do {
		poll(pfds, 2, 1000);
	} while (!pfds[1].revents && accept_one(ctx));
	if (ctx->is_orphan)
		destroy(ctx);
	return NULL;
}

static struct context *create(kvmi_new_guest_cb accept_cb,
			      kvmi_handshake_cb hsk_cb, void *cb_ctx)
{
	struct context *ctx = calloc(1, sizeof(*ctx));

	if (!ctx)
		return NULL;
	ctx->object = OBJECT_CONTEXT;
	ctx->accept_cb = accept_cb;
	ctx->hsk_cb = hsk_cb;
	ctx->cb_ctx = cb_ctx;
	ctx->pid = getpid();
	ctx->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (ctx->stop_fd < 0) {
		free(ctx);
		return NULL;
	}
	return ctx;
}

static int start(struct context *ctx, const char *path, unsigned int port)
{
	struct kvmi_options opts;
	int err;

	err = setting_read(&opts);
	if (err)
		return err;
	opts.hello = judge;
	opts.hello_data = ctx;
	if (path)
		err = kvmi_listener_open_unix(&ctx->listener, path, &opts);
	else
		err = kvmi_listener_open_vsock(&ctx->listener, port, &opts);
	setting_free(&opts);

	if (err)
		return err;
	/* Before, for a callback may come at once. */
	ctx->is_running = true;
	if (!pthread_create(&ctx->thread, NULL, run, ctx))
		return 0;
	ctx->is_running = false;
	return -ENOMEM;
}

static void *init(struct context *ctx, const char *path, unsigned int port)
{
	int err = ctx ? start(ctx, path, port) : -ENOMEM;

	if (!err)
		return ctx;
	if (path)
		say(KVMI_LOG_LEVEL_ERROR, "cannot listen on %s: %s", path,
		    kvmi_strerror(err));
	else
		say(KVMI_LOG_LEVEL_ERROR, "cannot listen on port %u: %s", port,
		    kvmi_strerror(err));
	if (ctx)
		destroy(ctx);
	result_quietly(err);
	return NULL;
}

void *kvmi_init_unix_socket(const char *socket, kvmi_new_guest_cb accept_cb,
			    kvmi_handshake_cb hsk_cb, void *cb_ctx)
{
	if (!socket || !accept_cb) {
		result(__func__, NO_VCPU, -EINVAL);
		return NULL;
	}
	return init(create(accept_cb, hsk_cb, cb_ctx), socket, 0);
}

void *kvmi_init_vsock(unsigned int port, kvmi_new_guest_cb accept_cb,
		      kvmi_handshake_cb hsk_cb, void *cb_ctx)
{
	if (!accept_cb) {
		result(__func__, NO_VCPU, -EINVAL);
		return NULL;
	}
	return init(create(accept_cb, hsk_cb, cb_ctx), NULL, port);
}

/* A child of fork() has no thread, and the socket's file is not its own. */
static bool is_of_parent(const struct context *ctx)
{
	return ctx->pid != getpid();
}

static void stop(struct context *ctx)
{
	eventfd_write(ctx->stop_fd, 1);
	pthread_join(ctx->thread, NULL);
	ctx->is_running = false;
	kvmi_listener_close(ctx->listener);
	ctx->listener = NULL;
}

/* Not from a callback, where the thread would wait for itself. */
static bool can_stop(const struct context *ctx)
{
	return ctx->is_running && !pthread_equal(ctx->thread, pthread_self());
}

void kvmi_close(void *object)
{
	struct context *ctx = object;

	if (!ctx)
		return;
	if (ctx->object == OBJECT_DOMAIN)
		domain_close(object, true);
	else if (is_of_parent(ctx))
		return;
	else if (can_stop(ctx))
		stop(ctx);
	else
		eventfd_write(ctx->stop_fd, 1);
}

void kvmi_uninit(void *object)
{
	struct context *ctx = object;

	if (!ctx)
		return;
	if (is_of_parent(ctx)) {
		free(ctx);
		return;
	}
	if (can_stop(ctx))
		stop(ctx);
	if (!ctx->is_running) {
		destroy(ctx);
		return;
	}
	ctx->is_orphan = true;
	pthread_detach(ctx->thread);
	eventfd_write(ctx->stop_fd, 1);
}
