// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_XCR: XCR0 as user space and the guest have set it.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static int get(struct peer *peer, uint8_t xcr, uint64_t *value)
{
	struct kvmi_vcpu_get_xcr get = { .xcr = xcr };
	struct kvmi_vcpu_get_xcr_reply reply;
	int r = __vcpu_command(peer, 0, KVMI_VCPU_GET_XCR, &get, sizeof(get),
			       &reply, sizeof(reply));

	if (!r)
		*value = reply.value;
	return r;
}

int main(void)
{
	struct kvmi_vcpu_get_xcr ok = { .xcr = 0 };
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0] = { .value = 3 } };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint64_t value = 0;
	int xcr;

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	vmm_vcpu_allow(vcpu, 1ull << 60);
	vmm_vcpu_start(vcpu);
	expect(0, get(&peer, 0, &value));
	expect(1, value);
	if (ioctl(vm->kvm, KVM_CHECK_EXTENSION, KVM_CAP_XCRS) > 0) {
		vmm_vcpu_stop(vcpu);
		must(ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs));
		expect(0, get(&peer, 0, &value));
		expect(3, value);
		vmm_vcpu_start(vcpu);
		expect(0, get(&peer, 0, &value));
		expect(3, value);
	}
	cell("message:VCPU_GET_XCR:ok");
	for (xcr = 1; xcr < 256; xcr++)
		expect(-KVM_EINVAL, get(&peer, xcr, &value));
	vcpu_expect_padding(&peer, KVMI_VCPU_GET_XCR, &ok, sizeof(ok), 1, 8);
	cell("message:VCPU_GET_XCR:EINVAL");
	hooked_end(vm, &peer);
	return 0;
}
