// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device manager's five ioctls.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "hook.h"
#include "test.h"
#include "trace.h"

static int vm_ioctl(struct vmm *vm, unsigned long code, const void *arg)
{
	return ioctl(vm->fd, code, arg) < 0 ? -errno : 0;
}

void hook_require(struct vmm *vm)
{
	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_INTROSPECTION) <= 0)
		skip("KVM has no introspection: load the modules");
}

int __hook_ioctl(struct vmm *vm, const struct kvm_introspection_hook *hook)
{
	return vm_ioctl(vm, KVM_INTROSPECTION_HOOK, hook);
}

int __hook_fd(struct vmm *vm, int fd)
{
	struct kvm_introspection_hook hook = {
		.fd = fd,
		.uuid = { 0xde, 0xad, 0xbe, 0xef },
	};

	return __hook_ioctl(vm, &hook);
}

int __hook(struct vmm *vm, struct peer *peer)
{
	int fd = peer_open(peer);
	int r = __hook_fd(vm, fd);

	close(fd);
	if (r)
		peer_close(peer);
	return r;
}

void hook(struct vmm *vm, struct peer *peer)
{
	expect(0, __hook(vm, peer));
}

int __unhook(struct vmm *vm)
{
	return vm_ioctl(vm, KVM_INTROSPECTION_UNHOOK, NULL);
}

void unhook(struct vmm *vm)
{
	uint64_t start = now_ms();

	expect(0, __unhook(vm));
	expect_true(now_ms() - start < DEADLINE_MS);
}

int __hook_command(struct vmm *vm, int id, uint32_t allow)
{
	struct kvm_introspection_feature feature = { allow, id };

	return vm_ioctl(vm, KVM_INTROSPECTION_COMMAND, &feature);
}

int __hook_event(struct vmm *vm, int id, uint32_t allow)
{
	struct kvm_introspection_feature feature = { allow, id };

	return vm_ioctl(vm, KVM_INTROSPECTION_EVENT, &feature);
}

int __preunhook(struct vmm *vm)
{
	return vm_ioctl(vm, KVM_INTROSPECTION_PREUNHOOK, NULL);
}

void hook_allow_all(struct vmm *vm)
{
	expect(0, __hook_command(vm, -1, 1));
	expect(0, __hook_event(vm, -1, 1));
}

struct vmm *hooked_vmm(const struct vmm_options *options, struct peer *peer)
{
	struct vmm *vm = vmm_create(options);

	hook_require(vm);
	hook(vm, peer);
	hook_allow_all(vm);
	return vm;
}

void hooked_end(struct vmm *vm, struct peer *peer)
{
	peer_expect_open(peer);
	counters_expect_flushed(vm);
	hook_expect_usable(vm);
	peer_expect_closed(peer);
	peer_close(peer);
	vmm_destroy(vm);
}

void hook_expect_usable(struct vmm *vm)
{
	struct peer peer;

	unhook(vm);
	hook(vm, &peer);
	peer_expect_open(&peer);
	unhook(vm);
	peer_expect_closed(&peer);
	peer_close(&peer);
}
