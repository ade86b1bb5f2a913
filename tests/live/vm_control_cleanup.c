// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_CONTROL_CLEANUP: takes 0 and 1; UNHOOK works with either.
 */
#include "../lib/hook.h"
#include "../lib/test.h"

static int control(struct peer *peer, uint8_t enable)
{
	struct kvmi_vm_control_cleanup control = { .enable = enable };

	return __peer_command(peer, KVMI_VM_CONTROL_CLEANUP, &control,
			      sizeof(control), NULL, 0);
}

int main(void)
{
	struct kvmi_vm_control_cleanup ok = { .enable = 1 };
	uint8_t longer[16] = { 1, [8] = 0xff };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);

	expect(0, control(&peer, 1));
	expect(0, control(&peer, 0));
	cell("message:VM_CONTROL_CLEANUP:ok");
	expect(-KVM_EINVAL, control(&peer, 2));
	expect(-KVM_EINVAL, control(&peer, 0xff));
	peer_expect_padding(&peer, KVMI_VM_CONTROL_CLEANUP, &ok, sizeof(ok), 1,
			    8);
	cell("message:VM_CONTROL_CLEANUP:EINVAL");

	peer_command(&peer, KVMI_VM_CONTROL_CLEANUP, NULL, 0, NULL, 0);
	peer_command(&peer, KVMI_VM_CONTROL_CLEANUP, longer, sizeof(longer),
		     NULL, 0);
	expect(0, control(&peer, 0));
	vmm_expect_alive(vcpu);
	unhook(vm);
	peer_expect_closed(&peer);
	vmm_expect_alive(vcpu);
	hook_expect_usable(vm);
	peer_close(&peer);
	vmm_destroy(vm);
	return 0;
}
