// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the VMM itself asks of KVM, guest debugging and an MSR filter, goes
 * together with a session, whichever comes first.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void set_debug(struct vmm_vcpu *vcpu, uint32_t control)
{
	struct kvm_guest_debug debug = { .control = control };

	must(ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &debug));
}

static void set_filter(struct vmm *vm)
{
	static uint8_t none[8];
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = 0x174,
			.nmsrs = 3,
			.bitmap = none,
		},
	};

	must(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter));
}

static void restart(struct vmm_vcpu *vcpu, uint32_t control)
{
	vmm_vcpu_stop(vcpu);
	set_debug(vcpu, control);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
}

int main(void)
{
	const uint32_t debug = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	hook_require(vm);
	set_filter(vm);
	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	restart(vcpu, debug);

	hook(vm, &peer);
	hook_allow_all(vm);
	vmm_expect_alive(vcpu);
	restart(vcpu, 0);
	peer_expect_open(&peer);
	restart(vcpu, debug);
	set_filter(vm);
	vmm_expect_alive(vcpu);
	unhook(vm);
	vmm_expect_alive(vcpu);
	restart(vcpu, 0);
	peer_close(&peer);

	hook(vm, &peer);
	hooked_end(vm, &peer);
	return 0;
}
