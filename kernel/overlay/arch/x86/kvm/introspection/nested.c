// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: a VM whose vCPUs have guests of their own.
 *
 * A vCPU that runs its own guest shows the wrong registers and uses page tables
 * that do not know the rights of pages. So HOOK fails with EBUSY while a vCPU
 * is in there, and once the VM is hooked no vCPU gets in: the entry fails as it
 * does for a bad VMCB or VMCS. All else of virtualisation goes on working, for
 * a guest that has merely switched it on.
 *
 * Whatever takes a vCPU into its guest asks here, inside of kvm->srcu. HOOK
 * makes them wait, waits for those that have asked before, and then looks: an
 * attempt that is refused leaves no trace in the guest.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "smm.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* A vCPU in SMM may have come from its guest, and RSM takes it back there. */
bool kvmi_arch_in_nested_guest(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm)
		if (is_guest_mode(vcpu) || is_smm(vcpu))
			return true;

	return false;
}

/* True while HOOK decides: the instruction is to be repeated. */
bool __kvmi_nested_entry_waits(struct kvm_vcpu *vcpu)
{
	lockdep_assert_once(srcu_read_lock_held(&vcpu->kvm->srcu));

	return kvmi_vm_state(vcpu->kvm) == KVMI_VM_HOOKING;
}
EXPORT_SYMBOL_GPL(__kvmi_nested_entry_waits);

/*
 * RSM cannot wait; while HOOK decides it may go on, for HOOK sees where it
 * went.
 */
bool __kvmi_nested_entry_fails(struct kvm_vcpu *vcpu)
{
	lockdep_assert_once(srcu_read_lock_held(&vcpu->kvm->srcu));

	return kvmi_vm_state(vcpu->kvm) == KVMI_VM_HOOKED;
}
EXPORT_SYMBOL_GPL(__kvmi_nested_entry_fails);

/* User space that puts a vCPU into its guest, now or by the next RSM. */
bool __kvmi_refuses_nested_state(struct kvm_vcpu *vcpu,
				 const struct kvm_nested_state *state)
{
	lockdep_assert_once(srcu_read_lock_held(&vcpu->kvm->srcu));

	if (kvmi_vm_state(vcpu->kvm) == KVMI_VM_UNHOOKED)
		return false;

	return (state->flags & KVM_STATE_NESTED_GUEST_MODE) ||
	       (state->format == KVM_STATE_NESTED_FORMAT_VMX &&
		(state->hdr.vmx.smm.flags & KVM_STATE_NESTED_SMM_GUEST_MODE));
}
