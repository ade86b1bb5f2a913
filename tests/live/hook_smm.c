// SPDX-License-Identifier: GPL-2.0-only
/*
 * HOOK while a vCPU is in system management mode: refused with EBUSY, as RSM
 * could take the vCPU into a guest of its own that nobody sees. When it has left
 * by RSM, HOOK works. The handler of the SMI waits for the test.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

/* Where a processor begins after RESET. */
#define SMI_HANDLER	0x38000

/*
 * In 16-bit mode, with the data segment at 0. Interrupts are off in there, and
 * Bochs holds back those of the host as long as nothing else makes it exit.
 */
static const uint8_t handler[] = {
	0xc6, 0x06, 0x00, 0xb0, 0x01,	/*    movb $1, GUEST_TARGET */
	0xe6, GUEST_PORT_REPORT,	/* 1: outb %al, the port */
	0x80, 0x3e, 0x00, 0x90, 0x00,	/*    cmpb $0, GUEST_TRIGGER */
	0x74, 0xf7,			/*    je 1b */
	0x0f, 0xaa,			/*    rsm */
};

/* In that mode the vCPU has memory of its own; here it is the same. */
static void share_memory(struct vmm *vm)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1 << 16,
		.memory_size = VMM_MEMORY,
		.userspace_addr = (uintptr_t)vmm_host(vm, 0),
	};

	must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

static volatile uint8_t *byte_of(struct vmm *vm, uint64_t gpa)
{
	return vmm_host(vm, gpa);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	hook_require(vm);
	share_memory(vm);
	memcpy(vmm_host(vm, SMI_HANDLER), handler, sizeof(handler));
	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_expect_alive(vcpu);
	hook_expect_usable(vm);

	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_SMI));
	vmm_vcpu_start(vcpu);
	wait_for(*byte_of(vm, GUEST_TARGET));
	expect(-EBUSY, __hook_fd(vm, -1));
	expect(-EBUSY, __hook(vm, &peer));
	cell("ioctl:HOOK:EBUSY");

	*byte_of(vm, GUEST_TRIGGER) = 1;
	vmm_expect_alive(vcpu);
	hook_expect_usable(vm);
	vmm_expect_alive(vcpu);
	vmm_destroy(vm);
	return 0;
}
