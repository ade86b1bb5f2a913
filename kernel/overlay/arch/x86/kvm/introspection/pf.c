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

#include "kvm_cache_regs.h"
#include "kvm_emulate.h"
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "page.h"
#include "vendor.h"
#include "x86.h"

/* The emulator must find the operand of every access by itself. */
bool __kvmi_restricts(struct kvm_vcpu *vcpu)
{
	return kvmi_access_any(vcpu->kvm);
}

void __kvmi_decode(struct kvm_vcpu *vcpu, bool skips)
{
	if (!vcpu->kvmi)
		return;
	vcpu->kvmi->skips = skips;
	/* Of what is not given up in this way, like a task switch. */
	vcpu->kvmi->abort_insn = false;
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
	if (ask(vcpu, fetch_gva(vcpu, gpa), gpa, KVMI_PAGE_ACCESS_X, false))
		return RET_PF_RETRY;

	return RET_PF_EMULATE;
}

/*
 * The processor was about to deliver an interrupt or an exception; there is no
 * instruction to emulate.
 */
static int delivery_fault(struct kvm_vcpu *vcpu, gpa_t gpa, u8 access)
{
	if (ask(vcpu, vcpu->kvmi->fault_gva, gpa, access, false) ||
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

	ask(vcpu, gva, gpa, access, false);
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
	if (!kvmi_vendor->fault_gva)
		return INVALID_GPA;

	return kvmi_vendor->fault_gva(vcpu);
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
	bool fetch = access == KVMI_PAGE_ACCESS_X &&
		     !(fault->error_code & PFERR_GUEST_PAGE_MASK);

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

/*
 * The guest's other vCPUs write to its page tables, and the tool to its rights
 * while it is asked for another page: what counts is the page that is touched.
 * The instruction begins anew and asks for that one.
 */
bool __kvmi_translation_changed(struct kvm_vcpu *vcpu, gpa_t gpa, u64 pfec)
{
	u8 access = pfec_to_access(pfec);

	if (!vcpu->kvmi || !kvmi_access_any(vcpu->kvm) ||
	    kvmi_access_get(vcpu->kvm, gpa_to_gfn(gpa)) & access ||
	    !kvmi_memory_visible(vcpu->kvm, gpa_to_gfn(gpa)) ||
	    kvmi_grant_get(vcpu, gpa_to_gfn(gpa)) & access)
		return false;
	if (access == KVMI_PAGE_ACCESS_X && vcpu->kvmi->skips)
		return false;

	vcpu->kvmi->abort_insn = true;
	return true;
}

/* Instructions of a hypervisor have operands with no other address. */
bool __kvmi_physical_access(struct kvm_vcpu *vcpu, gpa_t gpa, bool write)
{
	u8 access = write ? KVMI_PAGE_ACCESS_W : KVMI_PAGE_ACCESS_R;

	if (!vcpu->kvmi ||
	    kvmi_access_get(vcpu->kvm, gpa_to_gfn(gpa)) & access ||
	    !kvmi_memory_visible(vcpu->kvm, gpa_to_gfn(gpa)))
		return false;

	return ask(vcpu, INVALID_GPA, gpa, access, true);
}
EXPORT_SYMBOL_GPL(__kvmi_physical_access);

static gva_t linear(struct kvm_vcpu *vcpu, const struct segmented_address *at)
{
	unsigned long base = kvm_x86_call(get_segment_base)(vcpu, at->seg);

	if (vcpu->arch.emulate_ctxt->mode != X86EMUL_MODE_PROT64)
		return (u32)(base + at->ea);

	return at->seg >= VCPU_SREG_FS ? base + at->ea : at->ea;
}

/* What PUSH and CALL of an operand in memory put on the stack, in bytes. */
static unsigned int pushed(const struct x86_emulate_ctxt *ctxt)
{
	if (ctxt->opcode_len != 1 || ctxt->b != 0xff)
		return 0;

	switch (ctxt->modrm_reg & 7) {
	case 2:		/* CALL */
	case 6:		/* PUSH */
		return ctxt->op_bytes;
	case 3:		/* far CALL */
		return 2 * ctxt->op_bytes;
	default:
		return 0;
	}
}

static bool emulated_push(struct kvm_vcpu *vcpu, unsigned int bytes, u64 pfec)
{
	struct segmented_address at = {
		.seg = VCPU_SREG_SS,
		.ea = kvm_rsp_read(vcpu) - bytes,
	};

	return __kvmi_emulated_access(vcpu, linear(vcpu, &at), bytes, pfec);
}

/*
 * A device gives what it gives once, so what takes it is asked for before, be
 * it another operand or the stack. Nothing to do for a register.
 */
bool __kvmi_emulated_input(struct kvm_vcpu *vcpu, unsigned int bytes)
{
	struct x86_emulate_ctxt *ctxt = vcpu->arch.emulate_ctxt;
	u64 pfec = PFERR_WRITE_MASK;
	gva_t gva;

	if (!kvmi_access_any(vcpu->kvm))
		return false;
	if (kvm_x86_call(get_cpl)(vcpu) == 3)
		pfec |= PFERR_USER_MASK;
	if (pushed(ctxt))
		return emulated_push(vcpu, pushed(ctxt), pfec);
	if (ctxt->dst.type != OP_MEM)
		return false;

	gva = linear(vcpu, &ctxt->dst.addr.mem);
	if (ctxt->eflags & X86_EFLAGS_DF)
		gva -= bytes - ctxt->dst.bytes;

	return __kvmi_emulated_access(vcpu, gva, bytes, pfec);
}

/*
 * What the emulator has found out of the operand before it gave up. Only what
 * leads to the address of the fault is told.
 */
static u64 operand_gva(struct kvm_vcpu *vcpu, gpa_t gpa)
{
	struct x86_emulate_ctxt *ctxt = vcpu->arch.emulate_ctxt;
	gva_t gva;

	if (ctxt->memop.type != OP_MEM)
		return INVALID_GPA;
	gva = linear(vcpu, &ctxt->memop.addr.mem);

	return kvmi_arch_gva_to_gpa(vcpu, gva) == gpa ? gva : INVALID_GPA;
}

/*
 * The tool may not have heard of the access then. When it agrees, or has done
 * so, the processor executes the instruction itself, in the step view.
 */
bool __kvmi_emulation_failed(struct kvm_vcpu *vcpu, gpa_t gpa, bool decoded)
{
	u64 gva;
	u8 access;

	if (!vcpu->kvmi || vcpu->kvmi->fault_gpa != gpa)
		return false;
	access = vcpu->kvmi->fault_access;
	if (kvmi_access_get(vcpu->kvm, gpa_to_gfn(gpa)) & access)
		return false;
	gva = vcpu->kvmi->fault_gva;
	if (gva == INVALID_GPA && decoded)
		gva = operand_gva(vcpu, gpa);

	return ask(vcpu, gva, gpa, access, false) ||
	       kvmi_view_want(vcpu, false);
}
