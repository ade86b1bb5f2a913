// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: accesses of restricted pages.
 *
 * The processor finds them. An instruction that may not be fetched is told at
 * once. One that may not read or write is given to the emulator: that knows the
 * address in the guest, and asks before each access of its own, which is where
 * the event is raised. So CONTINUE lets this one access happen and no other.
 * What the emulator does not know, and what is no instruction, the processor
 * does in the step view.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "features.h"
#include "kvm_cache_regs.h"
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "page.h"
#include "x86.h"

/*
 * Asks the tool, unless it has agreed to this already. Returns true if the
 * instruction, or the delivery, is to be left without effect.
 */
bool kvmi_pf_ask(struct kvm_vcpu *vcpu, u64 gva, u64 gpa, u8 access,
		 bool emulated)
{
	struct kvmi_vcpu_event_pf event = {
		.gva = gva,
		.gpa = gpa,
		.access = access,
	};
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_PF,
		.key = (gpa & PAGE_MASK) | access,
		.data = &event,
		.size = sizeof(event),
		.emulated = emulated,
		.no_repeat = vcpu->kvmi_no_repeat,
	};

	if (kvmi_grant_get(vcpu, gpa_to_gfn(gpa)) & access)
		return false;
	if (kvmi_vcpu_event(vcpu, &args, NULL) == KVMI_VERDICT_GIVE_UP) {
		if (vcpu->kvmi->pending.state == KVMI_PENDING_NONE)
			kvmi_view_drop(vcpu);
		return true;
	}
	kvmi_grant_add(vcpu, gpa_to_gfn(gpa), access);

	return false;
}

/* The instruction begins at RIP or goes on at the next page. */
static u64 fetch_gva(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	unsigned long rip = kvmi_arch_rip(vcpu);

	return offset_in_page(rip) == offset_in_page(gpa) ? rip
							  : PAGE_ALIGN(rip);
}

static int fetch_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	if (kvmi_pf_ask(vcpu, fetch_gva(vcpu, gpa), gpa, KVMI_PAGE_ACCESS_X,
			false))
		return RET_PF_RETRY;

	return RET_PF_EMULATE;
}

/*
 * The processor was about to deliver an interrupt or an exception; there is no
 * instruction to emulate.
 */
static int delivery_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u8 access)
{
	if (kvmi_pf_ask(vcpu, vcpu->kvmi->fault_gva, gpa, access, false) ||
	    kvmi_view_want(vcpu, true))
		return RET_PF_RETRY;

	return -EIO;
}

/*
 * One more access of the step. The view is left while the tool is asked, and
 * has it when it is entered again.
 */
static int view_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u8 access, bool fetch)
{
	u64 gva = fetch ? fetch_gva(vcpu, gpa) : vcpu->kvmi->fault_gva;

	if (kvmi_grant_get(vcpu, gpa_to_gfn(gpa)) & access)
		return RET_PF_CONTINUE;

	kvmi_pf_ask(vcpu, gva, gpa, access, false);
	return RET_PF_RETRY;
}

static bool session_is_there(struct kvm_vcpu *vcpu)
{
	struct kvmi_session *session = kvmi_session_get(vcpu->kvm);

	if (session)
		kvmi_session_put(session);

	return session;
}

static u64 fault_gva(struct kvm_vcpu *vcpu)
{
	if (!kvmi_has_fault_gva())
		return INVALID_GPA;

	return kvmi_vendor->fault_gva(vcpu);
}

/* A walk of the guest's tables, be it for a fetch, reads and writes. */
static u8 fault_access(const struct kvm_page_fault *fault)
{
	if (fault->exec && !(fault->error_code & PFERR_GUEST_PAGE_MASK))
		return KVMI_PAGE_ACCESS_X;

	return fault->write ? KVMI_PAGE_ACCESS_W : KVMI_PAGE_ACCESS_R;
}

/*
 * Before a fault is looked at by anybody else. Restrictions without a session
 * are about to go. The walker of the processor counts all its reads of the
 * guest's tables as writes; it is not what a tool wants to hear of, so the
 * walker of the emulator does it.
 */
int __kvmi_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault)
{
	u8 access = fault_access(fault);
	bool fetch = access == KVMI_PAGE_ACCESS_X;

	if (fault->prefetch || !fault->slot || !vcpu->kvmi ||
	    kvmi_access_get(vcpu->kvm, fault->gfn) & access)
		return RET_PF_CONTINUE;
	if (!session_is_there(vcpu))
		return RET_PF_RETRY;

	vcpu->kvmi->fault_gva = fault_gva(vcpu);
	if (kvmi_view_is_step(vcpu))
		return view_fault(vcpu, fault->addr, access, fetch);

	/* The processor has begun anew, but where it repeats. */
	if (!vcpu->kvmi_repeats)
		kvmi_grant_forget(vcpu);
	vcpu->kvmi->fault_gpa = fault->addr;
	vcpu->kvmi->fault_access = access;
	if (fetch)
		return fetch_fault(vcpu, fault->addr);
	if (kvm_event_needs_reinjection(vcpu))
		return delivery_fault(vcpu, fault->addr, access);

	return RET_PF_EMULATE;
}
