// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_CONTROL_MSR: takes the MSRs of two ranges, without those of the x2APIC
 * and without those whose writes the VMM denies. What it switches is in
 * event_msr.c.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static bool is_taken(uint32_t msr)
{
	if (msr >= 0x800 && msr <= 0x8ff)
		return false;
	return msr <= 0x1fff || (msr >= 0xc0000000 && msr <= 0xc0001fff);
}

static void test_range(struct peer *peer)
{
	static const uint32_t edges[] = {
		0, 1, 0x7ff, 0x800, 0x80b, 0x830, 0x8ff, 0x900, 0x1fff, 0x2000,
		0x40000000, 0x7fffffff, 0x80000000, 0xbfffffff, 0xc0000000,
		0xc0000800, 0xc00008ff, 0xc0001fff, 0xc0002000, 0xc0010000,
		0xc0011fff, 0xffffffff,
	};
	size_t i;

	for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		note("%#x", edges[i]);
		expect(is_taken(edges[i]) ? 0 : -KVM_EINVAL,
		       __vcpu_control_msr(peer, 0, edges[i], 1));
		expect(is_taken(edges[i]) ? 0 : -KVM_EINVAL,
		       __vcpu_control_msr(peer, 0, edges[i], 0));
	}
}

/* Which is judged when the watch is switched on, and not later. */
static void test_filter(struct vmm *vm, struct peer *peer)
{
	uint8_t none[2] = { 0 };
	struct kvm_msr_filter filter = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_WRITE,
			.base = 0xc0000080,
			.nmsrs = 4,
			.bitmap = none,
		},
		.ranges[1] = {
			.flags = KVM_MSR_FILTER_READ,
			.base = 0x174,
			.nmsrs = 3,
			.bitmap = none,
		},
	};

	vcpu_control_msr(peer, 0, 0xc0000081, 1);
	must(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter));
	expect(-KVM_EPERM, __vcpu_control_msr(peer, 0, 0xc0000080, 1));
	expect(-KVM_EPERM, __vcpu_control_msr(peer, 0, 0xc0000081, 1));
	expect(-KVM_EPERM, __vcpu_control_msr(peer, 0, 0xc0000083, 1));
	cell("message:VCPU_CONTROL_MSR:EPERM");
	vcpu_control_msr(peer, 0, 0xc0000081, 0);
	vcpu_control_msr(peer, 0, 0xc0000080, 0);
	vcpu_control_msr(peer, 0, 0xc0000084, 1);
	vcpu_control_msr(peer, 0, 0x174, 1);
	filter.ranges[0].nmsrs = 0;
	filter.ranges[1].nmsrs = 0;
	must(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter));
	vcpu_control_msr(peer, 0, 0xc0000080, 1);
}

int main(void)
{
	struct kvmi_vcpu_control_msr ok = { .enable = 1, .msr = 0x174 };
	uint8_t longer[16] = { [0] = 1, [4] = 0x74, [5] = 1, [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);

	test_range(&peer);
	vcpu_control_msr(&peer, 0, 0x174, 1);
	vcpu_control_msr(&peer, 0, 0x174, 1);
	vcpu_control_msr(&peer, 0, 0x174, 0);
	vcpu_control_msr(&peer, 0, 0x174, 0);
	cell("message:VCPU_CONTROL_MSR:ok");
	expect(-KVM_EINVAL, __vcpu_control_msr(&peer, 0, 0x174, 2));
	expect(-KVM_EINVAL, __vcpu_control_msr(&peer, 0, 0x174, 0xff));
	vcpu_expect_padding(&peer, KVMI_VCPU_CONTROL_MSR, &ok, sizeof(ok), 1,
			    4);
	cell("message:VCPU_CONTROL_MSR:EINVAL");
	test_filter(vm, &peer);
	vcpu_command(&peer, 0, KVMI_VCPU_CONTROL_MSR, NULL, 0, NULL, 0);
	vcpu_command(&peer, 0, KVMI_VCPU_CONTROL_MSR, longer, sizeof(longer),
		     NULL, 0);
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
	return 0;
}
