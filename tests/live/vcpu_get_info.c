// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_INFO: the speed of the guest's time stamp counter, or 0 where the
 * host cannot scale it.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

int main(void)
{
	struct kvmi_vcpu_get_info_reply info;
	uint8_t longer[16] = { [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	uint64_t khz = 0;

	if (ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0)
		khz = must(ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0));
	vmm_expect_alive(vcpu);
	vcpu_command(&peer, 0, KVMI_VCPU_GET_INFO, NULL, 0, &info,
		     sizeof(info));
	note("%llu Hz", (unsigned long long)info.tsc_speed);
	expect(1000 * khz, info.tsc_speed);
	cell("message:VCPU_GET_INFO:ok");

	/* Without a header it is vCPU 0; a tail is nothing. */
	peer_command(&peer, KVMI_VCPU_GET_INFO, NULL, 0, &info, sizeof(info));
	peer_command(&peer, KVMI_VCPU_GET_INFO, longer, sizeof(longer), &info,
		     sizeof(info));
	expect(1000 * khz, info.tsc_speed);
	hooked_end(vm, &peer);
	return 0;
}
