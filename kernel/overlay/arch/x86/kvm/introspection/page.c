// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: accesses of restricted pages.
 *
 * The processor finds them. An instruction that may not be fetched is told at
 * once. One that may not read or write is given to the emulator: that knows the
 * address in the guest, and asks before each access of its own, which is where
 * the event is raised. So CONTINUE lets this one access happen and no other; it
 * is granted until the instruction is done, since an instruction may touch a
 * page twice, or be repeated for the sake of another page.
 *
 * A page that is restricted is mapped for what is left, and never by a
 * translation for more than itself.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "kvm_emulate.h"
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/tdp_mmu.h"
#include "vendor.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* Tables of the hardware cannot take the right to read from the others. */
bool kvmi_arch_access_valid(u8 access)
{
	return !(access & ~KVMI_PAGE_ACCESS_ALL) &&
	       (!access || access & KVMI_PAGE_ACCESS_R);
}

static gfn_t huge_first(gfn_t gfn, int level)
{
	return gfn & -KVM_PAGES_PER_HPAGE(level);
}

static bool huge_restricted(struct kvm *kvm, gfn_t gfn, int level)
{
	gfn_t first = huge_first(gfn, level);

	return kvmi_access_restricted(kvm, first,
				      first + KVM_PAGES_PER_HPAGE(level) - 1);
}

/* Where the last restriction went, the huge page has to go to come back. */
static bool zap(struct kvm *kvm, gfn_t first, gfn_t last, bool flush)
{
	if (!huge_restricted(kvm, first, PG_LEVEL_2M))
		first = huge_first(first, PG_LEVEL_2M);
	if (!huge_restricted(kvm, last, PG_LEVEL_2M))
		last = huge_first(last, PG_LEVEL_2M) +
		       KVM_PAGES_PER_HPAGE(PG_LEVEL_2M) - 1;

	return kvm_tdp_mmu_zap_leafs(kvm, first, last + 1, flush);
}

/* No vCPU has an old translation when this returns. */
void kvmi_arch_access_changed(struct kvm *kvm, const gfn_t *gfns,
			      unsigned int n)
{
	unsigned int i, first = 0;
	bool flush = false;

	write_lock(&kvm->mmu_lock);
	for (i = 1; i <= n; i++) {
		if (i < n && gfns[i] - gfns[i - 1] <= 1)
			continue;
		flush = zap(kvm, gfns[first], gfns[i - 1], flush);
		first = i;
	}
	if (flush)
		kvm_flush_remote_tlbs(kvm);
	write_unlock(&kvm->mmu_lock);
}

/* What a translation of this page may give. */
unsigned int __kvmi_page_rights(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	u8 access = kvmi_access_get(vcpu->kvm, gfn);
	unsigned int rights = 0;

	lockdep_assert_held_read(&vcpu->kvm->mmu_lock);

	if (access & KVMI_PAGE_ACCESS_R)
		rights |= ACC_USER_MASK;
	if (access & KVMI_PAGE_ACCESS_W)
		rights |= ACC_WRITE_MASK;
	if (access & KVMI_PAGE_ACCESS_X)
		rights |= ACC_EXEC_MASK;

	return rights;
}

int __kvmi_max_mapping_level(struct kvm *kvm, gfn_t gfn, int level)
{
	while (level > PG_LEVEL_4K && huge_restricted(kvm, gfn, level))
		level--;

	return level;
}

/* The emulator must find the operand of every access by itself. */
bool __kvmi_restricts(struct kvm_vcpu *vcpu)
{
	return kvmi_access_any(vcpu->kvm);
}

static struct kvmi_grants *grants_get(struct kvm_vcpu *vcpu)
{
	struct kvmi_grants *grants = &vcpu->kvmi->grants;

	if (grants->rip != kvmi_arch_rip(vcpu)) {
		grants->n = 0;
		grants->rip = kvmi_arch_rip(vcpu);
	}

	return grants;
}

static bool is_granted(struct kvm_vcpu *vcpu, gfn_t gfn, u8 access)
{
	struct kvmi_grants *grants = grants_get(vcpu);
	unsigned int i;

	for (i = 0; i < grants->n; i++)
		if (grants->grant[i].gfn == gfn &&
		    grants->grant[i].access & access)
			return true;

	return false;
}

/* One instruction does not touch more pages; if it does, it asks once more. */
static void grant(struct kvm_vcpu *vcpu, gfn_t gfn, u8 access)
{
	struct kvmi_grants *grants = grants_get(vcpu);

	if (grants->n == KVMI_GRANTS_MAX)
		return;
	grants->grant[grants->n].gfn = gfn;
	grants->grant[grants->n++].access = access;
}

void __kvmi_decode(struct kvm_vcpu *vcpu, bool skips)
{
	if (vcpu->kvmi)
		vcpu->kvmi->skips = skips;
}

/* The instruction is done, or a part of it that is done by itself. */
void __kvmi_insn_done(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi)
		vcpu->kvmi->grants.n = 0;
}

/* Returns true if the instruction is to be left without effect. */
static bool ask(struct kvm_vcpu *vcpu, u64 gva, u64 gpa, u8 access,
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

	if (is_granted(vcpu, gpa_to_gfn(gpa), access))
		return false;
	if (kvmi_vcpu_event(vcpu, &args, NULL) == KVMI_VERDICT_GIVE_UP) {
		if (vcpu->kvmi->pending.state == KVMI_PENDING_NONE)
			__kvmi_insn_done(vcpu);
		return true;
	}
	grant(vcpu, gpa_to_gfn(gpa), access);

	return false;
}

/* The instruction begins at RIP or goes on at the next page. */
static int fetch_fault(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	unsigned long rip = kvmi_arch_rip(vcpu);

	if (offset_in_page(rip) != offset_in_page(gpa))
		rip = PAGE_ALIGN(rip);
	if (ask(vcpu, rip, gpa, KVMI_PAGE_ACCESS_X, false))
		return RET_PF_RETRY;

	return RET_PF_EMULATE;
}

/*
 * The processor was about to deliver an interrupt or an exception; there is no
 * instruction to emulate.
 */
static int delivery_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u8 access)
{
	if (ask(vcpu, INVALID_GPA, gpa, access, false))
		return RET_PF_RETRY;

	return -EIO;
}

static bool session_is_there(struct kvm_vcpu *vcpu)
{
	struct kvmi_session *session = kvmi_session_get(vcpu->kvm);

	if (session)
		kvmi_session_put(session);

	return session;
}

static u8 fault_access(const struct kvm_page_fault *fault)
{
	if (fault->exec)
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

	if (fault->prefetch || !fault->slot || !vcpu->kvmi ||
	    kvmi_access_get(vcpu->kvm, fault->gfn) & access)
		return RET_PF_CONTINUE;
	if (!session_is_there(vcpu))
		return RET_PF_RETRY;

	/* The processor has begun anew, but where it repeats. */
	if (!vcpu->kvmi_repeats)
		__kvmi_insn_done(vcpu);
	vcpu->kvmi->fault_gpa = fault->addr;
	vcpu->kvmi->fault_access = access;
	if (access == KVMI_PAGE_ACCESS_X &&
	    !(fault->error_code & PFERR_GUEST_PAGE_MASK))
		return fetch_fault(vcpu, fault->addr);
	if (kvm_event_needs_reinjection(vcpu))
		return delivery_fault(vcpu, fault->addr, access);

	return RET_PF_EMULATE;
}

static u8 pfec_to_access(u64 pfec)
{
	if (pfec & PFERR_FETCH_MASK)
		return KVMI_PAGE_ACCESS_X;

	return pfec & PFERR_WRITE_MASK ? KVMI_PAGE_ACCESS_W
				       : KVMI_PAGE_ACCESS_R;
}

static bool emulated_in_page(struct kvm_vcpu *vcpu, gva_t gva, u64 pfec)
{
	struct kvm_mmu *mmu = vcpu->arch.walk_mmu;
	u8 access = pfec_to_access(pfec);
	struct x86_exception exception;
	gpa_t gpa;

	gpa = mmu->gva_to_gpa(vcpu, mmu, gva, pfec, &exception);
	if (gpa == INVALID_GPA ||
	    kvmi_access_get(vcpu->kvm, gpa_to_gfn(gpa)) & access ||
	    !kvmi_memory_visible(vcpu->kvm, gpa_to_gfn(gpa)))
		return false;

	return ask(vcpu, gva, gpa, access, true);
}

/*
 * Both pages are asked for before anything is written to one. An address that
 * does not translate raises the guest's exception, in the emulator.
 */
bool __kvmi_emulated_access(struct kvm_vcpu *vcpu, gva_t gva,
			    unsigned int bytes, u64 pfec)
{
	gva_t next = PAGE_ALIGN(gva + 1);

	if (!vcpu->kvmi || !kvmi_access_any(vcpu->kvm))
		return false;
	if (pfec & PFERR_FETCH_MASK && vcpu->kvmi->skips)
		return false;
	if (emulated_in_page(vcpu, gva, pfec) ||
	    (gva + bytes > next && emulated_in_page(vcpu, next, pfec))) {
		vcpu->kvmi->abort_insn = true;
		return true;
	}

	return false;
}

static gva_t linear(struct kvm_vcpu *vcpu, const struct segmented_address *at)
{
	unsigned long base = kvm_x86_call(get_segment_base)(vcpu, at->seg);

	if (vcpu->arch.emulate_ctxt->mode != X86EMUL_MODE_PROT64)
		return (u32)(base + at->ea);

	return at->seg >= VCPU_SREG_FS ? base + at->ea : at->ea;
}

/*
 * A device gives what it gives once, so the operand that takes it is asked for
 * before. Nothing to do for a register.
 */
bool __kvmi_emulated_input(struct kvm_vcpu *vcpu, unsigned int bytes)
{
	struct x86_emulate_ctxt *ctxt = vcpu->arch.emulate_ctxt;
	u64 pfec = PFERR_WRITE_MASK;
	gva_t gva;

	if (ctxt->dst.type != OP_MEM || !kvmi_access_any(vcpu->kvm))
		return false;
	if (kvm_x86_call(get_cpl)(vcpu) == 3)
		pfec |= PFERR_USER_MASK;

	gva = linear(vcpu, &ctxt->dst.addr.mem);
	if (ctxt->eflags & X86_EFLAGS_DF)
		gva -= bytes - ctxt->dst.bytes;

	return __kvmi_emulated_access(vcpu, gva, bytes, pfec);
}

/*
 * The tool has not heard of the access then, unless it was a fetch. There is
 * nobody to carry it out, whatever it says.
 */
bool __kvmi_emulation_failed(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	u8 access;

	if (!vcpu->kvmi || vcpu->kvmi->fault_gpa != gpa)
		return false;
	access = vcpu->kvmi->fault_access;
	if (kvmi_access_get(vcpu->kvm, gpa_to_gfn(gpa)) & access)
		return false;

	return ask(vcpu, INVALID_GPA, gpa, access, false);
}
