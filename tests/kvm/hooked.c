// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into a selftest: each VM is hooked before its first KVM_RUN, all
 * allowed, by a tool that never says a word. Tells at the end how many were and
 * how many HOOK refused.
 */
#include <dlfcn.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/kvmi.h>

#define FILES	65536

/* By number of the file; 0: not one of ours. */
static struct file {
	int vm;		/* of a vCPU: its VM's file, plus 1 */
	bool due;	/* a VM that is not hooked yet */
} files[FILES];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int hooked, refused;

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	static int (*next)(int fd, unsigned long request, ...);

	if (!next)
		next = dlsym(RTLD_NEXT, "ioctl");
	return next(fd, request, arg);
}

/* The tool's end stays open until the process ends. */
static void hook(int vm)
{
	struct kvm_introspection_feature all = { .allow = 1, .id = -1 };
	struct kvm_introspection_hook hook = { 0 };
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		abort();
	hook.fd = pair[0];
	if (real_ioctl(vm, KVM_INTROSPECTION_HOOK, &hook)) {
		refused++;
		close(pair[1]);
	} else {
		hooked++;
		real_ioctl(vm, KVM_INTROSPECTION_COMMAND, &all);
		real_ioctl(vm, KVM_INTROSPECTION_EVENT, &all);
	}
	close(pair[0]);
}

static void before_run(int vcpu)
{
	int vm = vcpu < FILES ? files[vcpu].vm - 1 : -1;

	if (vm < 0 || !files[vm].due)
		return;
	pthread_mutex_lock(&lock);
	if (files[vm].due) {
		files[vm].due = false;
		hook(vm);
	}
	pthread_mutex_unlock(&lock);
}

static void created(int fd, int vm)
{
	if (fd < 0 || fd >= FILES)
		return;
	pthread_mutex_lock(&lock);
	files[fd] = (struct file){ .vm = vm + 1, .due = vm < 0 };
	pthread_mutex_unlock(&lock);
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);

	if (request == KVM_RUN)
		before_run(fd);
	r = real_ioctl(fd, request, arg);
	if (request == KVM_CREATE_VM)
		created(r, -1);
	else if (request == KVM_CREATE_VCPU)
		created(r, fd);
	return r;
}

static void __attribute__((destructor)) tell(void)
{
	fprintf(stderr, "hooked %d VMs, %d refused\n", hooked, refused);
}
