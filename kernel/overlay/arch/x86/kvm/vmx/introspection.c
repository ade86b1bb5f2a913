// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on Intel.
 */
#include <linux/kvm_host.h>
#include <asm/kvmi_host.h>

#include "vmx.h"
#include "kvm_cache_regs.h"
#include "../introspection/vendor.h"

/* What VMX can run and KVM cannot read, KVM does not run in 6.12. */
static bool vmx_vm_supported(struct kvm *kvm)
{
	return true;
}

/*
 * While loads exit, KVM takes arch.cr3 for the truth and no longer looks at the
 * VMCS, so it has to be there before. Without unrestricted guest KVM wants the
 * exits for itself as long as paging is off.
 */
static void refresh_cr3(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	kvm_read_cr3(vcpu);
	if (kvmi_watches_cr(vcpu, 3))
		exec_controls_setbit(vmx, CPU_BASED_CR3_LOAD_EXITING);
	else if (enable_unrestricted_guest || is_paging(vcpu))
		exec_controls_clearbit(vmx, CPU_BASED_CR3_LOAD_EXITING);
}

/* CR0.WP is what a tool watches, and what KVM lets the guest own. */
static void refresh_cr0(struct kvm_vcpu *vcpu)
{
	unsigned long cr0 = kvm_read_cr0(vcpu);

	vcpu->arch.cr0_guest_owned_bits = vmx_l1_guest_owned_cr0_bits();
	if (kvmi_watches_cr(vcpu, 0))
		vcpu->arch.cr0_guest_owned_bits &= ~X86_CR0_WP;
	vmcs_writel(CR0_GUEST_HOST_MASK, ~vcpu->arch.cr0_guest_owned_bits);
	vmcs_writel(CR0_READ_SHADOW, cr0);
}

static void refresh_cr4(struct kvm_vcpu *vcpu)
{
	unsigned long cr4 = kvm_read_cr4(vcpu);

	set_cr4_guest_host_mask(to_vmx(vcpu));
	vmcs_writel(CR4_READ_SHADOW, cr4);
}

static void vmx_refresh_crs(struct kvm_vcpu *vcpu)
{
	refresh_cr0(vcpu);
	refresh_cr3(vcpu);
	refresh_cr4(vcpu);
}

static void watch_msr(struct kvm_vcpu *vcpu, u32 msr)
{
	vmx_set_msr_bitmap_write(to_vmx(vcpu)->vmcs01.msr_bitmap, msr);
}

/*
 * Called when the filter of user space has changed, too, which then passes
 * through what nobody watches.
 */
void vmx_kvmi_watch_msrs(struct kvm_vcpu *vcpu)
{
	kvmi_walk_watched_msrs(vcpu, watch_msr);
}

static bool vmx_descriptors_supported(void)
{
	return vmcs_config.cpu_based_2nd_exec_ctrl & SECONDARY_EXEC_DESC;
}

/* On a CPU without UMIP, KVM has the same wish. */
static void vmx_refresh_descriptors(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	if (!vmx_descriptors_supported())
		return;

	if (kvmi_wants_descriptors(vcpu) ||
	    (vmx_umip_emulated() && kvm_is_cr4_bit_set(vcpu, X86_CR4_UMIP)))
		secondary_exec_controls_setbit(vmx, SECONDARY_EXEC_DESC);
	else
		secondary_exec_controls_clearbit(vmx, SECONDARY_EXEC_DESC);
}

static bool vmx_step_supported(void)
{
	return vmcs_config.cpu_based_exec_ctrl & CPU_BASED_MONITOR_TRAP_FLAG;
}

/* Also where an event is injected: the exit then is before its handler. */
static void vmx_step_enter(struct kvm_vcpu *vcpu)
{
	if (is_guest_mode(vcpu))
		return;

	exec_controls_setbit(to_vmx(vcpu), CPU_BASED_MONITOR_TRAP_FLAG);
	vcpu->kvmi_entry = KVMI_ENTRY_STEPS;
}

void vmx_kvmi_step_exit(struct kvm_vcpu *vcpu)
{
	struct vcpu_vmx *vmx = to_vmx(vcpu);

	exec_controls_clearbit(vmx, CPU_BASED_MONITOR_TRAP_FLAG);
	vcpu->kvmi_entry = KVMI_ENTRY_PLAIN;
	if (!vmx->fail && !vmx->exit_reason.failed_vmentry &&
	    vmx->exit_reason.basic == EXIT_REASON_MONITOR_TRAP_FLAG)
		__kvmi_insn_done(vcpu);
}

/* Of the operand itself; a walk of page tables tells what it is for. */
static u64 vmx_fault_gva(struct kvm_vcpu *vcpu)
{
	unsigned long final = EPT_VIOLATION_GVA_IS_VALID |
			      EPT_VIOLATION_GVA_TRANSLATED;

	if ((vmx_get_exit_qual(vcpu) & final) != final)
		return INVALID_GPA;

	return vmcs_readl(GUEST_LINEAR_ADDRESS);
}

const struct kvmi_vendor_ops vmx_kvmi_ops = {
	.vm_supported = vmx_vm_supported,
	.refresh_crs = vmx_refresh_crs,
	.descriptors_supported = vmx_descriptors_supported,
	.refresh_descriptors = vmx_refresh_descriptors,
	.step_supported = vmx_step_supported,
	.step_enter = vmx_step_enter,
	.fault_gva = vmx_fault_gva,
	.execute_only = cpu_has_vmx_ept_execute_only,
};
