// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: what a vCPU is, and the commands that only ask.
 */
#include <linux/kvmi_host.h>

#include "cpuid.h"
#include "features.h"
#include "kvm_cache_regs.h"
#include "mmu.h"
#include "smm.h"
#include "vendor.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* An AP before INIT has no state; it gets one with SIPI. */
bool kvmi_arch_vcpu_ready(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->arch.mp_state) != KVM_MP_STATE_UNINITIALIZED;
}

/*
 * In SMM nothing can be given up and repeated, and what a nested guest does is
 * its hypervisor's affair.
 */
bool kvmi_arch_vcpu_introspectable(struct kvm_vcpu *vcpu)
{
	return !is_smm(vcpu) && !is_guest_mode(vcpu);
}

unsigned long kvmi_arch_rip(struct kvm_vcpu *vcpu)
{
	return kvm_get_linear_rip(vcpu);
}

/*
 * vcpu->kvmi_repeats has changed: APICv goes with the next entry, or comes back.
 * What KVM has put off meanwhile it then looks at.
 */
void kvmi_arch_interrupts_held(struct kvm_vcpu *vcpu, bool held)
{
	kvm_make_request(KVM_REQ_APICV_UPDATE, vcpu);
	if (held)
		return;
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	if (atomic_read(&vcpu->arch.nmi_queued))
		kvm_make_request(KVM_REQ_NMI, vcpu);
}

/*
 * Every interception is computed anew from what is wanted now, by anybody; in a
 * nested guest, where none of them counts, when it is left. The exchange comes
 * before the looks at what is wanted, as kvmi_vcpu_refresh_soon() comes after
 * the changes.
 */
void kvmi_arch_vcpu_refresh(struct kvm_vcpu *vcpu)
{
	bool nested = is_guest_mode(vcpu);

	lockdep_assert_held(&vcpu->mutex);

	xchg(&vcpu->kvmi_refresh, nested);
	if (nested)
		return;

	kvm_x86_call(update_exception_bitmap)(vcpu);
	kvm_x86_call(msr_filter_changed)(vcpu);
	kvmi_vendor->refresh_crs(vcpu);
	kvmi_vendor->refresh_descriptors(vcpu);
}

static const void *payload(const struct kvmi_msg *msg)
{
	return msg->data + sizeof(struct kvmi_vcpu_hdr);
}

int handle_vcpu_get_info(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			 const struct kvmi_msg *msg)
{
	struct kvmi_vcpu_get_info_reply rpl = {};

	if (kvmi_has_tsc_speed())
		rpl.tsc_speed = 1000ul * vcpu->arch.virtual_tsc_khz;

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}

int handle_vcpu_get_cpuid(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			  const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_get_cpuid *req = payload(msg);
	struct kvmi_vcpu_get_cpuid_reply rpl = {};
	struct kvm_cpuid_entry2 *entry;

	entry = kvm_find_cpuid_entry_index(vcpu, req->function, req->index);
	if (!entry)
		return kvmi_reply(session, msg, -KVM_ENOENT, NULL, 0);

	rpl.eax = entry->eax;
	rpl.ebx = entry->ebx;
	rpl.ecx = entry->ecx;
	rpl.edx = entry->edx;

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}

/*
 * Privileged reads are refused user pages where the guest has SMAP on, and user
 * reads the kernel's; a tool wants both.
 */
u64 kvmi_arch_gva_to_gpa(struct kvm_vcpu *vcpu, u64 gva)
{
	struct kvm_mmu *mmu = vcpu->arch.walk_mmu;
	gpa_t gpa = kvm_mmu_gva_to_gpa_system(vcpu, gva, NULL);

	if (gpa == INVALID_GPA)
		gpa = mmu->gva_to_gpa(vcpu, mmu, gva, PFERR_USER_MASK, NULL);

	return gpa;
}

int handle_vcpu_translate_gva(struct kvmi_session *session,
			      struct kvm_vcpu *vcpu,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_translate_gva *req = payload(msg);
	struct kvmi_vcpu_translate_gva_reply rpl = { .gpa = INVALID_GPA };
	int idx;

	/* The walk reads guest memory, from whatever thread runs this. */
	if (!kvmi_memory_begin(session->kvm))
		return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
	idx = srcu_read_lock(&session->kvm->srcu);
	rpl.gpa = kvmi_arch_gva_to_gpa(vcpu, req->gva);
	srcu_read_unlock(&session->kvm->srcu, idx);
	kvmi_memory_end(session->kvm);

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}
