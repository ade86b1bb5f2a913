/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection on x86: what the files about restricted pages share.
 */
#ifndef __KVM_X86_KVMI_PAGE_H
#define __KVM_X86_KVMI_PAGE_H

#include <linux/kvm_host.h>

#include "../../../../virt/kvm/introspection/introspection.h"

/* page.c */
void kvmi_page_close(struct kvm_vcpu *vcpu, const struct kvmi_grants *grants);

/* pf.c */
bool kvmi_pf_ask(struct kvm_vcpu *vcpu, u64 gva, u64 gpa, u8 access,
		 bool emulated);

/* grant.c */
u8 kvmi_grant_get(struct kvm_vcpu *vcpu, gfn_t gfn);
void kvmi_grant_add(struct kvm_vcpu *vcpu, gfn_t gfn, u8 access);
void kvmi_grant_forget(struct kvm_vcpu *vcpu);

/* view.c; the functions that every file calls are in introspection.h */
bool kvmi_view_want(struct kvm_vcpu *vcpu, bool delivery);
void kvmi_view_drop(struct kvm_vcpu *vcpu);
int kvmi_view_enter(struct kvm_vcpu *vcpu);

/* step.c */
void kvmi_step_changed(struct kvm_vcpu *vcpu);

/* insn.c */
bool kvmi_insn_loads_ss(struct kvm_vcpu *vcpu);
bool kvmi_insn_undefined(struct kvm_vcpu *vcpu, int *r);
void kvmi_insn_faulted(struct kvm_vcpu *vcpu, u8 nr, u64 error_code,
		       u64 address);
int kvmi_insn_icebp(struct kvm_vcpu *vcpu);
int kvmi_insn_soft_interrupt(struct kvm_vcpu *vcpu);

/* Not one that halts, or waits for memory of the host. */
static inline bool kvmi_can_run(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.mp_state == KVM_MP_STATE_RUNNABLE &&
	       !vcpu->arch.apf.halted;
}

static inline bool kvmi_view_is_step(struct kvm_vcpu *vcpu)
{
	return vcpu->kvmi->step.view == KVMI_VIEW_STEP;
}

#endif /* __KVM_X86_KVMI_PAGE_H */
