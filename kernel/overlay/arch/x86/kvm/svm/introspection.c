// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on AMD.
 */
#include <linux/kvm_host.h>
#include <asm/kvmi_host.h>

#include "svm.h"
#include "kvm_cache_regs.h"
#include "../introspection/vendor.h"

static bool svm_vm_supported(struct kvm *kvm)
{
	return !sev_guest(kvm);
}

/* init_vmcb() switches it off with all that nested paging does not need. */
void svm_kvmi_refresh_cr3(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (kvmi_watches_cr(vcpu, 3))
		svm_set_intercept(svm, INTERCEPT_CR3_WRITE);
	else
		svm_clr_intercept(svm, INTERCEPT_CR3_WRITE);
}

/* svm_set_cr0() decides about CR0; CR4 is always intercepted. */
static void svm_refresh_crs(struct kvm_vcpu *vcpu)
{
	svm_kvmi_refresh_cr3(vcpu);
	svm_set_cr0(vcpu, kvm_read_cr0(vcpu));
}

static bool svm_descriptors_supported(void)
{
	return true;
}

static void svm_refresh_descriptors(struct kvm_vcpu *vcpu)
{
	bool wanted = kvmi_wants_descriptors(vcpu);
	struct vcpu_svm *svm = to_svm(vcpu);
	int bit;

	for (bit = INTERCEPT_STORE_IDTR; bit <= INTERCEPT_LOAD_TR; bit++) {
		if (wanted)
			svm_set_intercept(svm, bit);
		else
			svm_clr_intercept(svm, bit);
	}
}

static bool svm_step_supported(void)
{
	return true;
}

const struct kvmi_vendor_ops svm_kvmi_ops = {
	.vm_supported = svm_vm_supported,
	.refresh_crs = svm_refresh_crs,
	.descriptors_supported = svm_descriptors_supported,
	.refresh_descriptors = svm_refresh_descriptors,
	.step_supported = svm_step_supported,
	.step_enter = svm_kvmi_step_enter,
	.step_prepare = svm_kvmi_step_prepare,
};
