// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_CONTROL_CLEANUP: takes 0 and 1; UNHOOK works with either, and what stays
 * intercepted is invisible to the guest and to the next tool.
 */
#include "../lib/event.h"
#include "../lib/test.h"

static int control(struct peer *peer, uint8_t enable)
{
	struct kvmi_vm_control_cleanup control = { .enable = enable };

	return __peer_command(peer, KVMI_VM_CONTROL_CLEANUP, &control,
			      sizeof(control), NULL, 0);
}

static void test_interceptions(uint64_t kind, uint8_t cleanup)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;

	note("kind %d, cleanup %d", (int)kind, cleanup);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	expect(0, control(&peer, cleanup));
	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	unhook(vm);
	peer_close(&peer);
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, 4);

	hook(vm, &peer);
	hook_allow_all(vm);
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, 7);
	if (kind == GUEST_INT3)
		expect(7, vmm_state(vcpu)->traps);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
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

	test_interceptions(GUEST_INT3, 0);
	test_interceptions(GUEST_INT3, 1);
	test_interceptions(GUEST_CR3, 0);
	test_interceptions(GUEST_CR3, 1);
	test_interceptions(GUEST_MSR, 0);
	test_interceptions(GUEST_MSR, 1);
	test_interceptions(GUEST_SIDT, 0);
	test_interceptions(GUEST_LLDT, 1);
	return 0;
}
