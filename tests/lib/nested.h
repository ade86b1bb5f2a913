/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU that enters a guest of its own, over and over, by SVM or VMX. It counts
 * at GUEST_ENTRIES and GUEST_ENTRIES_FAILED, and waits GUEST_ENTRIES_PAUSE rounds
 * before each; its guest stays as long as GUEST_TRIGGER is not 0.
 */
#ifndef TESTS_LIB_NESTED_H
#define TESTS_LIB_NESTED_H

#include "vmm.h"

/* Pages of the guest for both. */
#define NESTED_AREA	0x10000
#define NESTED_AREA_2	0x11000
#define NESTED_TABLE	0x12000
#define NESTED_LIST	0x13000

/* Load the guest of this processor; skips where KVM gives its guests none. */
void nested_load(struct vmm_vcpu *vcpu);

/* The halves: registers of the vCPU are in regs and sregs, to be completed. */
void nested_load_svm(struct vmm_vcpu *vcpu, struct kvm_regs *regs,
		     struct kvm_sregs *sregs);
void nested_load_vmx(struct vmm_vcpu *vcpu, struct kvm_regs *regs,
		     struct kvm_sregs *sregs);

#endif /* TESTS_LIB_NESTED_H */
