// SPDX-License-Identifier: LGPL-2.1-or-later
/* A domain: its beginning, its end and what is known about it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "domain.h"

int domain_create(struct domain **out, struct kvmi_vm *vm)
{
	struct domain *dom = calloc(1, sizeof(*dom));
	int err;

	if (!dom)
		return -ENOMEM;
	err = kvmi_native_get_version(vm, &dom->version);
	if (err)
		goto err_free;
	dom->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (dom->stop_fd < 0) {
		err = -errno;
		goto err_free;
	}

	dom->object = OBJECT_DOMAIN;
	dom->vm = vm;
	pthread_mutex_init(&dom->take, NULL);
	pthread_mutex_init(&dom->lock, NULL);
	pthread_cond_init(&dom->changed, NULL);
	*out = dom;
	return 0;

err_free:
	free(dom);
	return err;
}

void domain_close(struct domain *dom, bool do_shutdown)
{
	domain_unwatch(dom);
	if (do_shutdown)
		kvmi_vm_close(dom->vm);
	else
		vm_leave(dom->vm);
	domain_free_events(dom);
	close(dom->stop_fd);
	pthread_cond_destroy(&dom->changed);
	pthread_mutex_destroy(&dom->lock);
	pthread_mutex_destroy(&dom->take);
	dom->object = 0;
	free(dom);
}

void kvmi_domain_close(void *dom, bool do_shutdown)
{
	if (dom)
		domain_close(dom, do_shutdown);
}

bool kvmi_domain_is_connected(const void *d)
{
	const struct domain *dom = d;
	struct pollfd pfd = { .events = POLLRDHUP };

	if (!dom)
		return false;
	pfd.fd = dom->vm->channel.fd;
	return !poll(&pfd, 1, 0);
}

void kvmi_domain_name(const void *d, char *dest, size_t dest_size)
{
	const struct domain *dom = d;

	if (dest_size)
		snprintf(dest, dest_size, "%s", kvmi_vm_get_name(dom->vm));
}

int kvmi_connection_fd(const void *d)
{
	const struct domain *dom = d;

	return dom->vm->channel.fd;
}

int64_t kvmi_get_starttime(const void *d)
{
	const struct domain *dom = d;

	return dom->vm->hello.msg.start_time;
}

int kvmi_get_version(void *d, unsigned int *version)
{
	const struct domain *dom = d;

	*version = dom->version.version;
	return 0;
}

/* None of the old features is one of the protocol's. */
static int lacks(bool *supported)
{
	*supported = false;
	return 0;
}

int kvmi_spp_support(void *dom, bool *supported)
{
	(void)dom;
	return lacks(supported);
}

int kvmi_ve_support(void *dom, bool *supported)
{
	(void)dom;
	return lacks(supported);
}

int kvmi_vmfunc_support(void *dom, bool *supported)
{
	(void)dom;
	return lacks(supported);
}

int kvmi_eptp_support(void *dom, bool *supported)
{
	(void)dom;
	return lacks(supported);
}
