// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: what KVM's emulator, and KVM's own handlers of
 * instructions, do to restricted pages. Each access is asked for before it has
 * an effect, and looked at once more with the translation that is used.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "kvm_emulate.h"
#include "mmu.h"
#include "page.h"
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

	return kvmi_pf_ask(vcpu, gva, gpa, access, true);
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

	return kvmi_pf_ask(vcpu, INVALID_GPA, gpa, access, true);
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

	return kvmi_pf_ask(vcpu, gva, gpa, access, false) ||
	       kvmi_view_want(vcpu, false);
}
