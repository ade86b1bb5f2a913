// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: writes of CR0, CR3 and CR4.
 *
 * The hooks are in the exit handlers and in the emulator's callback, not in
 * kvm_set_cr*(): RSM goes through those when it no longer looks like SMM, and
 * cannot be repeated.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "vendor.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

bool kvmi_watches_cr(struct kvm_vcpu *vcpu, int cr)
{
	if (!vcpu->kvmi)
		return false;

	return vcpu->kvmi->watched_crs & BIT(cr) ||
	       kvmi_pending_is(vcpu, KVMI_VCPU_EVENT_CR, cr);
}
EXPORT_SYMBOL_GPL(kvmi_watches_cr);

static unsigned long read_cr(struct kvm_vcpu *vcpu, int cr)
{
	switch (cr) {
	case 0:
		return kvm_read_cr0(vcpu);
	case 3:
		return kvm_read_cr3(vcpu);
	default:
		return kvm_read_cr4(vcpu);
	}
}

/* The bit in a value for CR3 that is an order and not a part of CR3. */
static unsigned long cr3_order(struct kvm_vcpu *vcpu, int cr, unsigned long val)
{
	if (cr != 3 || !kvm_is_cr4_bit_set(vcpu, X86_CR4_PCIDE))
		return 0;

	return val & X86_CR3_PCID_NOFLUSH;
}

static enum kvmi_verdict write(struct kvm_vcpu *vcpu, int cr,
			       unsigned long *val, bool emulated,
			       bool no_repeat)
{
	unsigned long order = cr3_order(vcpu, cr, *val);
	struct kvmi_vcpu_event_cr event = {
		.cr = cr,
		.old_value = read_cr(vcpu, cr),
		.new_value = *val & ~order,
	};
	struct kvmi_vcpu_event_cr_reply reply;
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_CR,
		.key = cr,
		.data = &event,
		.size = sizeof(event),
		.reply_size = sizeof(reply),
		.emulated = emulated,
		.no_repeat = no_repeat,
	};
	enum kvmi_verdict verdict;

	if (event.old_value == event.new_value && !vcpu->kvmi_repeats)
		return KVMI_VERDICT_NONE;

	verdict = kvmi_vcpu_event(vcpu, &args, &reply);
	/* To flush or not is the guest's, for the value that it wanted. */
	if (verdict == KVMI_VERDICT_CONTINUE)
		*val = reply.new_val |
		       (reply.new_val == event.new_value ? order : 0);

	return verdict;
}

/* Returns true if the instruction is to be left without effect. */
bool __kvmi_cr_write(struct kvm_vcpu *vcpu, int cr, unsigned long *val)
{
	if (!kvmi_watches_cr(vcpu, cr))
		return false;

	return write(vcpu, cr, val, false, false) == KVMI_VERDICT_GIVE_UP;
}
EXPORT_SYMBOL_GPL(__kvmi_cr_write);

bool __kvmi_emulated_cr_write(struct kvm_vcpu *vcpu, int cr,
			      unsigned long *val)
{
	bool no_repeat = vcpu->kvmi_no_repeat;

	if (!kvmi_watches_cr(vcpu, cr))
		return false;
	if (write(vcpu, cr, val, true, no_repeat) != KVMI_VERDICT_GIVE_UP ||
	    no_repeat)
		return false;

	vcpu->kvmi->abort_insn = true;
	return true;
}

/* After the emulator: true if the instruction is to be forgotten. */
bool __kvmi_insn_aborted(struct kvm_vcpu *vcpu)
{
	bool aborted = vcpu->kvmi->abort_insn;

	vcpu->kvmi->abort_insn = false;

	return aborted;
}

int handle_vcpu_control_cr(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			   const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_control_cr *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	int err = 0;

	if (req->padding1 || req->padding2 || req->enable > 1 ||
	    (req->cr != 0 && req->cr != 3 && req->cr != 4)) {
		err = -KVM_EINVAL;
	} else {
		__assign_bit(req->cr, &vcpu->kvmi->watched_crs, req->enable);
		kvmi_interception_changed(vcpu);
	}

	return kvmi_reply(session, msg, err, NULL, 0);
}
