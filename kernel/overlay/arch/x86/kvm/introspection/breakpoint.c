// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: INT3.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "mmu.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

bool kvmi_wants_breakpoints(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi)
		return false;

	return test_bit(KVMI_VCPU_EVENT_BREAKPOINT, vcpu->kvmi->events) ||
	       kvmi_pending_is(vcpu, KVMI_VCPU_EVENT_BREAKPOINT, 0);
}
EXPORT_SYMBOL_GPL(kvmi_wants_breakpoints);

static bool user_space_wants(struct kvm_vcpu *vcpu)
{
	return (vcpu->guest_debug & KVM_GUESTDBG_ENABLE) &&
	       (vcpu->guest_debug & KVM_GUESTDBG_USE_SW_BP);
}

/*
 * Returns false if user space gets the breakpoint, as it would without us;
 * true if the guest goes on, with the exception or without it.
 */
bool __kvmi_breakpoint(struct kvm_vcpu *vcpu, u8 insn_len)
{
	struct kvmi_vcpu_event_breakpoint event = { .insn_len = insn_len };
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_BREAKPOINT,
		.data = &event,
		.size = sizeof(event),
	};
	enum kvmi_verdict verdict;

	event.gpa = kvmi_arch_gva_to_gpa(vcpu, kvm_get_linear_rip(vcpu));
	verdict = kvmi_vcpu_event(vcpu, &args, NULL);
	if (verdict == KVMI_VERDICT_GIVE_UP)
		return true;
	if (user_space_wants(vcpu))
		return false;

	if (vcpu->kvmi) {
		vcpu->kvmi->gave_breakpoint = verdict == KVMI_VERDICT_CONTINUE;
		vcpu->kvmi->breakpoint_rip = kvm_get_linear_rip(vcpu);
	}
	kvm_queue_exception(vcpu, BP_VECTOR);
	return true;
}
EXPORT_SYMBOL_GPL(__kvmi_breakpoint);

static bool is_answered(struct kvm_vcpu *vcpu, u8 nr)
{
	return nr == BP_VECTOR && vcpu->kvmi->gave_breakpoint &&
	       vcpu->kvmi->breakpoint_rip == kvm_get_linear_rip(vcpu);
}

/*
 * User space reads the state, and KVM is about to say nothing of a soft
 * exception that is queued: the guest is to come to its instruction again. So
 * it is taken back, and the tool is not asked twice.
 */
void kvmi_hide_soft_exception(struct kvm_vcpu *vcpu)
{
	struct kvm_queued_exception *ex = &vcpu->arch.exception;

	if (!vcpu->kvmi || !(ex->pending || ex->injected) ||
	    !kvm_exception_is_soft(ex->vector))
		return;

	if (vcpu->kvmi_injection == KVMI_INJECTION_QUEUED) {
		kvm_clear_exception_queue(vcpu);
		kvmi_queue_exception_later(vcpu);
	} else if (kvmi_vm_hooked(vcpu->kvm) && is_answered(vcpu, ex->vector)) {
		kvm_clear_exception_queue(vcpu);
		kvmi_pending_again(vcpu, KVMI_VCPU_EVENT_BREAKPOINT);
	}
}
