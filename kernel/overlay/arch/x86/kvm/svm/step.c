// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on AMD: a single step.
 *
 * The processor has the trap flag for it, which is the guest's: it shows in
 * what PUSHF, exceptions, interrupts and SYSCALL save. So the flag is there for
 * the time of one entry only, and whatever would save it, or take it away, is
 * intercepted in this entry: exceptions and INT are delivered by the next
 * entry, without the flag; PUSHF, POPF, SYSCALL and SYSRET are emulated, the
 * last two because their way out is to be undefined. MOV SS and POP SS have to
 * be emulated as well: the processor would trap one instruction late.
 *
 * Everything that one entry changes is put back when the guest is left, so that
 * KVM never meets it.
 */
#include <linux/kvm_host.h>
#include <asm/kvmi_host.h>
#include <trace/events/ipi.h>

#include "svm.h"
#include "kvm_cache_regs.h"
#include "x86.h"
#include "../introspection/page.h"
#include "../introspection/vendor.h"

/* All, but for the one that is no exception. */
#define EXCEPTIONS	(~(u32)BIT(NMI_VECTOR))

#define DR6_CAUSES	(DR_TRAP_BITS | DR6_BD | DR6_BT)

static bool is_iret_again(struct kvm_vcpu *vcpu)
{
	const struct kvmi_step_arch *step = &vcpu->kvmi->step_arch;

	return step->iret && step->iret_rip == kvm_get_linear_rip(vcpu);
}

static void mark_dirty(struct vmcb *vmcb)
{
	vmcb_mark_dirty(vmcb, VMCB_INTERCEPTS);
	vmcb_mark_dirty(vmcb, VMCB_INTR);
	vmcb_mark_dirty(vmcb, VMCB_CR);
}

static void arm(struct kvm_vcpu *vcpu)
{
	struct kvmi_step_arch *step = &vcpu->kvmi->step_arch;
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;

	BUILD_BUG_ON(sizeof(step->intercepts) !=
		     sizeof(vmcb->control.intercepts));

	memcpy(step->intercepts, vmcb->control.intercepts,
	       sizeof(step->intercepts));
	step->armed = true;
	step->tf = vmcb->save.rflags & X86_EFLAGS_TF;
	step->dr6 = vmcb->save.dr6;
	step->efer = vmcb->save.efer;
	step->nmi = vmcb->control.int_ctl & V_NMI_PENDING_MASK;

	vmcb->control.intercepts[INTERCEPT_EXCEPTION] |= EXCEPTIONS;
	vmcb_set_intercept(&vmcb->control, INTERCEPT_PUSHF);
	vmcb_set_intercept(&vmcb->control, INTERCEPT_POPF);
	vmcb_set_intercept(&vmcb->control, INTERCEPT_INTn);
	vmcb_set_intercept(&vmcb->control, INTERCEPT_ICEBP);
	step->iret = is_iret_again(vcpu);
	if (!step->iret)
		vmcb_set_intercept(&vmcb->control, INTERCEPT_IRET);
	else
		vmcb_clr_intercept(&vmcb->control, INTERCEPT_IRET);
	vmcb->save.rflags |= X86_EFLAGS_TF;
	vmcb->save.efer &= ~(u64)EFER_SCE;
	/* One that KVM has handed over would be delivered by the processor. */
	vmcb->control.int_ctl &= ~V_NMI_PENDING_MASK;
	mark_dirty(vmcb);
}

/*
 * With an event to deliver the entry does that and no more: the interrupt that
 * is then there ends it.
 */
void svm_kvmi_step_enter(struct kvm_vcpu *vcpu)
{
	struct vcpu_svm *svm = to_svm(vcpu);

	if (is_guest_mode(vcpu))
		return;

	vcpu->kvmi->step_arch.armed = false;
	if (!(svm->vmcb->control.event_inj & SVM_EVTINJ_VALID)) {
		vcpu->kvmi_entry = KVMI_ENTRY_STEPS;
		arm(vcpu);
		return;
	}
	vcpu->kvmi_entry = KVMI_ENTRY_DELIVERS;
	smp_send_reschedule(vcpu->cpu);
}

static bool is_trap(struct vmcb *vmcb)
{
	return vmcb->control.exit_code == SVM_EXIT_EXCP_BASE + DB_VECTOR &&
	       vmcb->save.dr6 & DR6_BS;
}

static void disarm(struct kvm_vcpu *vcpu)
{
	struct kvmi_step_arch *step = &vcpu->kvmi->step_arch;
	struct vmcb *vmcb = to_svm(vcpu)->vmcb;
	bool trapped = is_trap(vmcb);

	memcpy(vmcb->control.intercepts, step->intercepts,
	       sizeof(step->intercepts));
	vmcb->save.efer = step->efer;
	vmcb->control.int_ctl |= step->nmi;
	mark_dirty(vmcb);

	if (trapped)
		__kvmi_insn_done(vcpu);
	/* What IRET has taken from the stack is the guest's. */
	if (!step->tf && !(trapped && step->iret))
		vmcb->save.rflags &= ~X86_EFLAGS_TF;
	if (trapped)
		step->iret = false;
	if (!step->tf && !(step->dr6 & DR6_BS)) {
		vmcb->save.dr6 &= ~DR6_BS;
		vmcb_mark_dirty(vmcb, VMCB_DR);
	}
	step->trapped = trapped && !step->tf;
}

static void delivered(struct kvm_vcpu *vcpu)
{
	if (to_svm(vcpu)->vmcb->control.exit_code != SVM_EXIT_ERR &&
	    !kvm_event_needs_reinjection(vcpu))
		__kvmi_insn_done(vcpu);
}

/* The processor has told what became of the event that it was given. */
void svm_kvmi_step_exit(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi_entry == KVMI_ENTRY_DELIVERS)
		delivered(vcpu);
	else
		disarm(vcpu);
	vcpu->kvmi_entry = KVMI_ENTRY_PLAIN;
}

static bool exception(struct kvm_vcpu *vcpu, u8 nr, int *r)
{
	const struct vmcb_control_area *control = &to_svm(vcpu)->vmcb->control;
	const struct kvmi_step_arch *step = &vcpu->kvmi->step_arch;
	u64 dr6 = to_svm(vcpu)->vmcb->save.dr6;

	*r = 1;
	if (nr == DB_VECTOR && step->trapped)
		return !(dr6 & DR6_CAUSES & ~step->dr6);
	if (nr == UD_VECTOR)
		return kvmi_insn_undefined(vcpu, r);
	/* The host's own, for a page that is not there. */
	if (nr == PF_VECTOR && vcpu->arch.apf.host_apf_flags)
		return false;
	if (step->intercepts[INTERCEPT_EXCEPTION] & BIT(nr))
		return false;
	kvmi_insn_faulted(vcpu, nr, control->exit_info_1, control->exit_info_2);

	return true;
}

/* Returns true if KVM wants it as well. */
static bool iret(struct kvm_vcpu *vcpu)
{
	struct kvmi_step_arch *step = &vcpu->kvmi->step_arch;

	step->iret = true;
	step->iret_rip = kvm_get_linear_rip(vcpu);

	return svm_is_intercept(to_svm(vcpu), INTERCEPT_IRET);
}

int svm_kvmi_step_prepare(struct kvm_vcpu *vcpu)
{
	int r;

	if (!kvmi_insn_loads_ss(vcpu))
		return 1;

	r = kvm_emulate_instruction(vcpu, 0);
	if (r > 0 && vcpu->kvmi->step.done)
		r = KVMI_STEP_TAKEN;

	return r;
}

/*
 * An exit of an entry that was to be left after a step. Returns false if KVM is
 * to handle it as ever.
 */
bool svm_kvmi_step_handle(struct kvm_vcpu *vcpu, u32 exit_code, int *r)
{
	if (!vcpu->kvmi->step_arch.armed)
		return false;
	vcpu->kvmi->step_arch.armed = false;

	if (exit_code >= SVM_EXIT_EXCP_BASE && exit_code <= SVM_EXIT_LAST_EXCP)
		return exception(vcpu, exit_code - SVM_EXIT_EXCP_BASE, r);

	switch (exit_code) {
	case SVM_EXIT_PUSHF:
	case SVM_EXIT_POPF:
		*r = kvm_emulate_instruction(vcpu, 0);
		return true;
	case SVM_EXIT_SWINT:
		*r = kvmi_insn_soft_interrupt(vcpu);
		return true;
	case SVM_EXIT_ICEBP:
		*r = kvmi_insn_icebp(vcpu);
		return true;
	case SVM_EXIT_IRET:
		*r = 1;
		return !iret(vcpu);
	default:
		return false;
	}
}
