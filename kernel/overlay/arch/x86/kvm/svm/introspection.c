// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on AMD.
 */
#include <linux/kvm_host.h>

#include "svm.h"
#include "../introspection/vendor.h"

static bool svm_vm_supported(struct kvm *kvm)
{
	return !sev_guest(kvm);
}

const struct kvmi_vendor_ops svm_kvmi_ops = {
	.vm_supported = svm_vm_supported,
};
