/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device manager's five ioctls on a VM of ours.
 */
#ifndef TESTS_LIB_HOOK_H
#define TESTS_LIB_HOOK_H

#include "peer.h"
#include "vmm.h"

/* Skips the test when this KVM has no introspection. */
void hook_require(struct vmm *vm);

int __hook_ioctl(struct vmm *vm, const struct kvm_introspection_hook *hook);
/* Hooks with this fd, all else right. */
int __hook_fd(struct vmm *vm, int fd);
/* Makes a pair of sockets, hooks and closes the kernel's end here. */
int __hook(struct vmm *vm, struct peer *peer);
void hook(struct vmm *vm, struct peer *peer);
int __unhook(struct vmm *vm);
/* Must succeed, and in time. */
void unhook(struct vmm *vm);

int __hook_command(struct vmm *vm, int id, uint32_t allow);
int __hook_event(struct vmm *vm, int id, uint32_t allow);
int __preunhook(struct vmm *vm);
/* Allows all commands and events. */
void hook_allow_all(struct vmm *vm);

/* A VM with one session in which all is allowed, and its end. */
struct vmm *hooked_vmm(const struct vmm_options *options, struct peer *peer);
void hooked_end(struct vmm *vm, struct peer *peer);

/*
 * Asserts that the VM is not left half hooked: UNHOOK, then a session works,
 * then UNHOOK again.
 */
void hook_expect_usable(struct vmm *vm);

#endif /* TESTS_LIB_HOOK_H */
