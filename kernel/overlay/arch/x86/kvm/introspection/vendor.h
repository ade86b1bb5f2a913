/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection: what only kvm-amd or kvm-intel knows. The module that is
 * loaded hands its table over with its struct kvm_x86_init_ops.
 */
#ifndef __KVM_X86_KVMI_VENDOR_H
#define __KVM_X86_KVMI_VENDOR_H

#include <linux/kvm_host.h>

struct kvmi_vendor_ops {
	/* False for a VM whose memory or registers the host cannot read. */
	bool (*vm_supported)(struct kvm *kvm);

	/* Intercept writes of CR0, CR3 and CR4 as kvmi_watches_cr() says. */
	void (*refresh_crs)(struct kvm_vcpu *vcpu);

	/* Whether the CPU can intercept them at all. */
	bool (*descriptors_supported)(void);

	/* Intercept loads and stores as kvmi_wants_descriptors() says. */
	void (*refresh_descriptors)(struct kvm_vcpu *vcpu);

	/* Whether the CPU can be stopped after an instruction. */
	bool (*step_supported)(void);

	/*
	 * An entry is to be left after one instruction or one delivery, which
	 * then is told by __kvmi_insn_done().
	 */
	void (*step_enter)(struct kvm_vcpu *vcpu);

	/*
	 * At the head of the run loop: what step_enter() cannot stop after is
	 * emulated. Returns as kvmi_arch_step_begin() does. NULL if there is
	 * nothing like that.
	 */
	int (*step_prepare)(struct kvm_vcpu *vcpu);

	/*
	 * The gva of the access whose fault is handled, or INVALID_GPA. NULL
	 * where the CPU does not tell.
	 */
	u64 (*fault_gva)(struct kvm_vcpu *vcpu);

	/* Whether a page can be executed and not read. NULL: it cannot. */
	bool (*execute_only)(void);
};

extern const struct kvmi_vendor_ops *kvmi_vendor;
extern const struct kvmi_vendor_ops svm_kvmi_ops;
extern const struct kvmi_vendor_ops vmx_kvmi_ops;

void kvmi_arch_vendor_set(const struct kvmi_vendor_ops *ops);

#endif /* __KVM_X86_KVMI_VENDOR_H */
