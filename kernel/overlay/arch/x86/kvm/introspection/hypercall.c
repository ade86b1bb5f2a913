// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: the hypercall by which a guest calls the tool.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

static bool is_ours(struct kvm_vcpu *vcpu)
{
	if (is_64_bit_hypercall(vcpu))
		return kvm_rax_read(vcpu) == KVM_HC_XEN_HVM_OP &&
		       kvm_rdi_read(vcpu) ==
		       KVM_HC_XEN_HVM_OP_GUEST_REQUEST_VM_EVENT;

	return (u32)kvm_rax_read(vcpu) == KVM_HC_XEN_HVM_OP &&
	       (u32)kvm_rbx_read(vcpu) ==
	       KVM_HC_XEN_HVM_OP_GUEST_REQUEST_VM_EVENT;
}

/*
 * Returns true if the hypercall was this one, at any privilege level; then *r
 * is what the exit handler returns. In a VM that is not hooked it is KVM's: what
 * the guest gets must not tell it whether another VM is.
 */
bool __kvmi_hypercall(struct kvm_vcpu *vcpu, int *r)
{
	struct kvmi_event_args args = { .event = KVMI_VCPU_EVENT_HYPERCALL };
	unsigned long ret = -KVM_ENOSYS;

	if (!is_ours(vcpu) || !kvmi_vm_hooked(vcpu->kvm))
		return false;

	*r = 1;
	switch (kvmi_vcpu_event(vcpu, &args, NULL)) {
	case KVMI_VERDICT_GIVE_UP:
		return true;
	case KVMI_VERDICT_CONTINUE:
		ret = 0;
		break;
	case KVMI_VERDICT_NONE:
		break;
	}

	if (!is_64_bit_hypercall(vcpu))
		ret = (u32)ret;
	kvm_rax_write(vcpu, ret);
	*r = kvm_skip_emulated_instruction(vcpu);

	return true;
}

/*
 * In the emulator, which is there because the instruction is the other
 * vendor's. While a tool watches, KVM does not write to the guest's text to
 * make it the right one. What a nested guest does is its hypervisor's affair.
 */
bool kvmi_take_hypercall(struct kvm_vcpu *vcpu)
{
	if (!kvmi_vm_hooked(vcpu->kvm) || !vcpu->kvmi || is_guest_mode(vcpu))
		return false;

	vcpu->kvmi->hypercall_rip = kvm_get_linear_rip(vcpu);
	vcpu->kvmi_hypercall = true;
	return true;
}

/* KVM can come back to it after an exit to user space. */
bool __kvmi_took_hypercall(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi->hypercall_rip == kvm_get_linear_rip(vcpu))
		return true;

	vcpu->kvmi_hypercall = false;
	return false;
}

int kvmi_skip_hypercall(struct kvm_vcpu *vcpu)
{
	vcpu->kvmi_hypercall = false;
	if (!kvm_emulate_instruction(vcpu, EMULTYPE_SKIP))
		return 0;

	kvm_x86_call(set_interrupt_shadow)(vcpu, 0);
	return 1;
}
