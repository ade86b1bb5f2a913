// SPDX-License-Identifier: LGPL-2.1-or-later
/* A session: its beginning, its end and what is known about it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "event.h"
#include "vm.h"

static int watch(int epoll_fd, int fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int create_poll(struct kvmi_vm *vm)
{
	struct channel *ch = &vm->channel;
	int err;

	ch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ch->epoll_fd < 0)
		return -errno;

	err = watch(ch->epoll_fd, ch->fd);
	if (!err)
		err = watch(ch->epoll_fd, ch->event_fd);
	if (err)
		close(ch->epoll_fd);
	return err;
}

/* What tells of the end must not fail then. */
static int prepare_end(struct kvmi_vm *vm)
{
	const struct kvmi_own_event_end end = { 0 };

	if (!vm->opts.has_own_events)
		return 0;
	vm->channel.end_event = event_create_own(KVMI_OWN_EVENT_END, &end,
						 sizeof(end));
	return vm->channel.end_event ? 0 : -ENOMEM;
}

int vm_tell_return(struct kvmi_vm *vm, enum kvmi_run run, int64_t before)
{
	const struct kvmi_own_event_return told = {
		.run = run,
		.before = before,
		.now = vm->hello.msg.start_time,
	};
	struct kvmi_event *event;

	event = event_create_own(KVMI_OWN_EVENT_RETURN, &told, sizeof(told));
	if (!event)
		return -ENOMEM;
	event_prepend(&vm->channel, event);
	return 0;
}

int vm_create(struct kvmi_vm **out, int fd, const struct hello *hello,
	      const struct options *opts)
{
	struct kvmi_vm *vm;
	int own_fd, err;

	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	vm->opts = *opts;
	options_wipe(&vm->opts);
	vm->hello = *hello;
	vm->timeout = opts->command_timeout;
	vm->session_time = time(NULL);

	/* A copy, so that the caller's stays his when something fails. */
	own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own_fd < 0) {
		err = -errno;
		goto err_free;
	}
	err = channel_init(&vm->channel, own_fd, &vm->opts.log);
	if (err)
		goto err_close;
	err = create_poll(vm);
	if (err)
		goto err_uninit;
	err = prepare_end(vm);
	if (err)
		goto err_unpoll;

	failures_init(&vm->failures);
	*out = vm;
	return 0;

err_unpoll:
	close(vm->channel.epoll_fd);
err_uninit:
	channel_uninit(&vm->channel);
	goto err_free;
err_close:
	close(own_fd);
err_free:
	free(vm);
	return err;
}

int kvmi_vm_open_fd(struct kvmi_vm **vm, int fd,
		    const struct kvmi_options *user)
{
	struct hello hello = { 0 };
	struct options opts;
	int64_t deadline;
	int err;

	err = options_read(&opts, user);
	if (err)
		return err;

	deadline = clock_deadline(opts.handshake_timeout);
	err = hello_receive_until(&hello, fd, deadline);
	if (!err)
		err = vm_start(vm, fd, &hello, &opts);
	options_wipe(&opts);
	return err;
}

void vm_leave(struct kvmi_vm *vm)
{
	vm_end_start(vm);
	close(vm->channel.epoll_fd);
	channel_uninit(&vm->channel);
	shared_uninit(&vm->shared);
	failures_uninit(&vm->failures);
	free(vm);
}

void kvmi_vm_close(struct kvmi_vm *vm)
{
	if (!vm)
		return;

	/* Not only a close: the caller of a failed start holds a copy. */
	channel_shutdown(&vm->channel);
	vm_leave(vm);
}

enum kvmi_end kvmi_vm_get_end(struct kvmi_vm *vm)
{
	enum kvmi_end end;

	pthread_mutex_lock(&vm->channel.lock);
	end = channel_how(&vm->channel);
	pthread_mutex_unlock(&vm->channel.lock);
	return end;
}

bool kvmi_vm_is_unhooking(struct kvmi_vm *vm)
{
	struct channel *ch = &vm->channel;
	bool is_unhooking;

	pthread_mutex_lock(&ch->lock);
	is_unhooking = ch->is_unhooking;
	pthread_mutex_unlock(&ch->lock);
	return is_unhooking;
}

void kvmi_vm_shutdown(struct kvmi_vm *vm)
{
	channel_shutdown(&vm->channel);
}

int kvmi_vm_get_identity(const struct kvmi_vm *vm, struct kvmi_identity *id)
{
	return hello_identity(&vm->hello, id);
}

int kvmi_vm_get_memory_area(const struct kvmi_vm *vm, unsigned int index,
			    struct kvmi_memory_area *area)
{
	return hello_area(&vm->hello, index, area);
}

bool kvmi_vm_is_authenticated(const struct kvmi_vm *vm)
{
	return vm->features & KVMI_FEATURE_HMAC;
}

const char *kvmi_vm_get_name(const struct kvmi_vm *vm)
{
	return vm->hello.msg.name;
}

int64_t kvmi_vm_get_session_time(const struct kvmi_vm *vm)
{
	return vm->session_time;
}

int kvmi_vm_get_fd(const struct kvmi_vm *vm)
{
	return vm->channel.epoll_fd;
}

void kvmi_vm_set_timeout(struct kvmi_vm *vm, int timeout)
{
	if (!timeout)
		timeout = vm->opts.command_timeout;
	__atomic_store_n(&vm->timeout, timeout, __ATOMIC_RELAXED);
}

int vm_fail(struct kvmi_vm *vm, int err, struct failure what)
{
	return failures_note(&vm->failures, err, what);
}

int64_t vm_deadline(const struct kvmi_vm *vm)
{
	return clock_deadline(__atomic_load_n(&vm->timeout, __ATOMIC_RELAXED));
}

bool vm_should_retry(const struct kvmi_vm *vm, int err)
{
	if (err != -EPERM || clock_ms() >= vm->settled_at)
		return false;

	log_say(&vm->opts.log, KVMI_LOG_DEBUG,
		"not allowed yet, trying again in %d ms", VM_RETRY_MS);
	clock_sleep(VM_RETRY_MS);
	return true;
}
