// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: exceptions that a tool injects.
 *
 * The command only leaves a note. At the head of the run loop, between two
 * instructions, it is decided what the guest gets: an event that is there
 * already, or else this exception. TRAP tells which, before the vCPU goes on.
 * The exception itself enters KVM's queue no earlier than the entry that
 * delivers it: the emulator empties that queue, and so do KVM_SET_REGS and
 * KVM_SET_VCPU_EVENTS, which a device manager calls for its own reasons.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "smm.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* What the one-byte instructions are that raise the soft exceptions. */
#define INSN_INT3	0xcc
#define INSN_INTO	0xce

/*
 * Those that an instruction can raise in any guest, as the processor takes no
 * other: an entry with a reserved vector fails and ends the VM. #MC is about
 * banks that would say nothing, #VE, #CP, #HV, #VC and #SX are of features
 * that a VM which can be introspected does not have.
 */
#define INJECTABLE (BIT(DE_VECTOR) | BIT(DB_VECTOR) | BIT(BP_VECTOR) | \
		    BIT(OF_VECTOR) | BIT(BR_VECTOR) | BIT(UD_VECTOR) | \
		    BIT(NM_VECTOR) | BIT(DF_VECTOR) | BIT(TS_VECTOR) | \
		    BIT(NP_VECTOR) | BIT(SS_VECTOR) | BIT(GP_VECTOR) | \
		    BIT(PF_VECTOR) | BIT(MF_VECTOR) | BIT(AC_VECTOR) | \
		    BIT(XM_VECTOR))
#define WITH_ERROR_CODE (BIT(DF_VECTOR) | BIT(TS_VECTOR) | BIT(NP_VECTOR) | \
			 BIT(SS_VECTOR) | BIT(GP_VECTOR) | BIT(PF_VECTOR) | \
			 BIT(AC_VECTOR))

static bool is_injectable(u8 nr)
{
	return nr < 32 && INJECTABLE & BIT(nr);
}

static bool has_error_code(struct kvm_vcpu *vcpu, u8 nr)
{
	return WITH_ERROR_CODE & BIT(nr) && is_protmode(vcpu);
}

/* Real mode does without error codes. */
static u32 error_code(struct kvm_vcpu *vcpu,
		      const struct kvm_queued_exception *ex)
{
	return ex->has_error_code && is_protmode(vcpu) ? ex->error_code : 0;
}

static void set_state(struct kvm_vcpu *vcpu, enum kvmi_injection state)
{
	lockdep_assert_held(&vcpu->mutex);

	vcpu->kvmi_injection = state;
}

/* The vCPU is elsewhere, by INIT or by user space. */
void kvmi_drop_exception(struct kvm_vcpu *vcpu)
{
	vcpu->kvmi_injection = KVMI_INJECTION_NONE;
}

static void check_delivered(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi_injection == KVMI_INJECTION_QUEUED &&
	    !(vcpu->arch.exception.injected &&
	      vcpu->arch.exception.vector == vcpu->kvmi->exception.nr))
		set_state(vcpu, KVMI_INJECTION_NONE);
}

/* An event that the next entry delivers, whatever anybody asks for. */
static bool fill_others(struct kvm_vcpu *vcpu,
			struct kvmi_vcpu_event_trap *event)
{
	const struct kvm_queued_exception *ex = &vcpu->arch.exception;

	event->address = vcpu->arch.cr2;
	if (ex->injected || ex->pending) {
		event->nr = ex->vector;
		event->error_code = error_code(vcpu, ex);
		if (ex->vector == PF_VECTOR && ex->has_payload)
			event->address = ex->payload;
	} else if (vcpu->arch.nmi_injected) {
		event->nr = NMI_VECTOR;
	} else if (vcpu->arch.interrupt.injected) {
		event->nr = vcpu->arch.interrupt.nr;
	} else {
		return false;
	}

	return true;
}

static void fill_ours(struct kvm_vcpu *vcpu,
		      struct kvmi_vcpu_event_trap *event)
{
	const struct kvmi_exception *ex = &vcpu->kvmi->exception;

	event->nr = ex->nr;
	if (has_error_code(vcpu, ex->nr))
		event->error_code = ex->error_code;
	event->address = ex->nr == PF_VECTOR ? ex->address : vcpu->arch.cr2;
}

/*
 * Returns true if there is an injection to tell of; event is what the guest
 * gets. A vCPU that shuts down instead gets nothing.
 */
bool kvmi_arch_trap_due(struct kvm_vcpu *vcpu,
			struct kvmi_vcpu_event_trap *event)
{
	if (vcpu->kvmi_injection != KVMI_INJECTION_ASKED ||
	    !kvmi_arch_vcpu_introspectable(vcpu))
		return false;

	if (kvm_test_request(KVM_REQ_TRIPLE_FAULT, vcpu)) {
		set_state(vcpu, KVMI_INJECTION_NONE);
		return false;
	}

	vcpu->kvmi->exception.rip = kvm_get_linear_rip(vcpu);
	if (!fill_others(vcpu, event))
		fill_ours(vcpu, event);

	return true;
}

void kvmi_arch_trap_sent(struct kvm_vcpu *vcpu)
{
	struct kvmi_vcpu_event_trap event = {};

	set_state(vcpu, fill_others(vcpu, &event) ? KVMI_INJECTION_NONE
						  : KVMI_INJECTION_TOLD);
}

/* Like any event that is not held back, an exception ends a halt. */
static void wake(struct kvm_vcpu *vcpu)
{
	if (vcpu->arch.mp_state == KVM_MP_STATE_HALTED) {
		vcpu->arch.pv.pv_unhalted = false;
		vcpu->arch.mp_state = KVM_MP_STATE_RUNNABLE;
	}
	vcpu->arch.apf.halted = false;
}

/* The tool has answered, or nobody can: what it was told comes true. */
void kvmi_arch_trap_done(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi_injection != KVMI_INJECTION_TOLD)
		return;
	if (vcpu->kvmi->crash) {
		set_state(vcpu, KVMI_INJECTION_NONE);
		return;
	}

	kvmi_queue_exception_later(vcpu);
	wake(vcpu);
}

/* It has been taken out of KVM's queue, into which it is to come anew. */
void kvmi_queue_exception_later(struct kvm_vcpu *vcpu)
{
	vcpu->kvmi->exception.rip = kvm_get_linear_rip(vcpu);
	vcpu->kvmi->exception.anywhere = false;
	set_state(vcpu, KVMI_INJECTION_DUE);
	kvm_make_request(KVM_REQ_EVENT, vcpu);
}

/* The session is over. */
void kvmi_arch_trap_end(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi_injection == KVMI_INJECTION_ASKED)
		set_state(vcpu, KVMI_INJECTION_NONE);
	if (vcpu->kvmi_injection == KVMI_INJECTION_TOLD &&
	    vcpu->kvmi->exception.rip != kvm_get_linear_rip(vcpu))
		set_state(vcpu, KVMI_INJECTION_NONE);
	kvmi_arch_trap_done(vcpu);
}

/*
 * #BP and #OF return behind their instruction if they come from it. From a tool
 * they can come anywhere else, and return there.
 */
static bool is_at_insn(struct kvm_vcpu *vcpu, u8 nr)
{
	gpa_t gpa = kvmi_arch_gva_to_gpa(vcpu, kvm_get_linear_rip(vcpu));
	u8 insn;

	if (gpa == INVALID_GPA ||
	    kvm_vcpu_read_guest(vcpu, gpa, &insn, sizeof(insn)))
		return false;

	return insn == (nr == BP_VECTOR ? INSN_INT3 : INSN_INTO);
}

static void queue_soft(struct kvm_vcpu *vcpu, struct kvmi_exception *ex)
{
	ex->keeps_rip = !is_at_insn(vcpu, ex->nr);
	/* Intel wants to know how long it is. */
	if (!ex->keeps_rip)
		vcpu->arch.event_exit_inst_len = 1;
	kvm_queue_exception(vcpu, ex->nr);
}

static void queue(struct kvm_vcpu *vcpu)
{
	struct kvmi_exception *ex = &vcpu->kvmi->exception;
	struct x86_exception fault = {
		.vector = PF_VECTOR,
		.error_code_valid = true,
		.error_code = ex->error_code,
		.address = ex->address,
	};

	ex->keeps_rip = false;
	if (ex->nr == PF_VECTOR)
		kvm_inject_page_fault(vcpu, &fault, false);
	else if (kvm_exception_is_soft(ex->nr))
		queue_soft(vcpu, ex);
	else if (has_error_code(vcpu, ex->nr))
		kvm_queue_exception_e(vcpu, ex->nr, ex->error_code);
	else
		kvm_queue_exception(vcpu, ex->nr);
	set_state(vcpu, KVMI_INJECTION_QUEUED);
}

/*
 * What user space has put there since the tool was told goes first; ours then
 * comes where that one leads.
 */
void __kvmi_inject_exception(struct kvm_vcpu *vcpu)
{
	struct kvmi_exception *ex = &vcpu->kvmi->exception;

	check_delivered(vcpu);
	if (vcpu->kvmi_injection != KVMI_INJECTION_DUE)
		return;

	if (kvm_event_needs_reinjection(vcpu) ||
	    kvm_is_exception_pending(vcpu)) {
		ex->anywhere = true;
		return;
	}
	if (!ex->anywhere && ex->rip != kvm_get_linear_rip(vcpu)) {
		kvmi_drop_exception(vcpu);
		return;
	}
	queue(vcpu);
}

/* Until it is delivered, which can take more than one entry. */
bool __kvmi_exception_keeps_rip(struct kvm_vcpu *vcpu)
{
	return vcpu->kvmi->exception.keeps_rip &&
	       vcpu->arch.exception.vector == vcpu->kvmi->exception.nr;
}
EXPORT_SYMBOL_GPL(__kvmi_exception_keeps_rip);

static int check_request(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			 const struct kvmi_vcpu_inject_exception *req)
{
	if (!test_bit(KVMI_VCPU_EVENT_TRAP, session->policy.events))
		return -KVM_EPERM;
	if (req->padding1 || req->padding2 || !is_injectable(req->nr))
		return -KVM_EINVAL;
	/* Between INIT and SIPI nothing is delivered. */
	if (vcpu->arch.mp_state == KVM_MP_STATE_INIT_RECEIVED)
		return -KVM_EAGAIN;

	check_delivered(vcpu);
	return vcpu->kvmi_injection || vcpu->kvmi->step.on ? -KVM_EBUSY : 0;
}

int handle_vcpu_inject_exception(struct kvmi_session *session,
				 struct kvm_vcpu *vcpu,
				 const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_inject_exception *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	int err = check_request(session, vcpu, req);

	if (!err) {
		vcpu->kvmi->exception = (struct kvmi_exception){
			.nr = req->nr,
			.error_code = req->error_code,
			.address = req->address,
		};
		set_state(vcpu, KVMI_INJECTION_ASKED);
	}

	return kvmi_reply(session, msg, err, NULL, 0);
}
