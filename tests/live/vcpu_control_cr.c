// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_CONTROL_CR: takes CR0, CR3 and CR4. What it switches is in event_cr.c.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

int main(void)
{
	struct kvmi_vcpu_control_cr ok = { .cr = 3 };
	uint8_t longer[16] = { 4, 1, [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	int cr;

	for (cr = 0; cr < 256; cr++)
		expect(cr == 0 || cr == 3 || cr == 4 ? 0 : -KVM_EINVAL,
		       __vcpu_control_cr(&peer, 0, cr, 1));
	vcpu_control_cr(&peer, 0, 3, 1);
	vcpu_control_cr(&peer, 0, 3, 0);
	vcpu_control_cr(&peer, 0, 3, 0);
	cell("message:VCPU_CONTROL_CR:ok");
	expect(-KVM_EINVAL, __vcpu_control_cr(&peer, 0, 3, 2));
	expect(-KVM_EINVAL, __vcpu_control_cr(&peer, 0, 3, 0xff));
	vcpu_expect_padding(&peer, KVMI_VCPU_CONTROL_CR, &ok, sizeof(ok), 2, 8);
	cell("message:VCPU_CONTROL_CR:EINVAL");
	vcpu_command(&peer, 0, KVMI_VCPU_CONTROL_CR, NULL, 0, NULL, 0);
	vcpu_command(&peer, 0, KVMI_VCPU_CONTROL_CR, longer, sizeof(longer),
		     NULL, 0);
	vmm_expect_alive(vcpu);
	hooked_end(vm, &peer);
	return 0;
}
