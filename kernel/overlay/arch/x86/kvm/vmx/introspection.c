// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on Intel.
 */
#include <linux/kvm_host.h>

#include "../introspection/vendor.h"

/* What VMX can run and KVM cannot read, KVM does not run in 6.12. */
static bool vmx_vm_supported(struct kvm *kvm)
{
	return true;
}

const struct kvmi_vendor_ops vmx_kvmi_ops = {
	.vm_supported = vmx_vm_supported,
};
