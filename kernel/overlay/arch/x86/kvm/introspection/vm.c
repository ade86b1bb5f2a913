// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: which VMs can be introspected.
 */
#include <linux/kvmi_host.h>
#include <kvmi/assert.h>

#include "irq.h"
#include "kvm_cache_regs.h"
#include "features.h"

#include "../../../../virt/kvm/introspection/introspection.h"

const struct kvmi_vendor_ops *kvmi_vendor;

/* No VM exists while the vendor module comes or goes. */
void kvmi_arch_vendor_set(const struct kvmi_vendor_ops *ops)
{
	kvmi_vendor = ops;
	kvmi_features_find();
}

int kvmi_arch_vm_supported(struct kvm *kvm)
{
	/* A vCPU without an in-kernel APIC halts in user space, out of reach. */
	if (!irqchip_in_kernel(kvm))
		return -EOPNOTSUPP;

	if (!kvmi_has_tdp_mmu())
		return -EOPNOTSUPP;

	if (kvm->arch.vm_type != KVM_X86_DEFAULT_VM ||
	    kvm_arch_has_private_mem(kvm) || !kvmi_vendor->vm_supported(kvm))
		return -EOPNOTSUPP;

	if (kvmi_arch_in_nested_guest(kvm))
		return -EBUSY;

	return 0;
}
