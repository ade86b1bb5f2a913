// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: XSETBV.
 *
 * The hooks come after all checks: what faults changes nothing.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* The reply has no value: the guest's own is written. */
static enum kvmi_verdict write(struct kvm_vcpu *vcpu, u32 index, u64 val,
			       bool emulated)
{
	struct kvmi_vcpu_event_xsetbv event = {
		.xcr = index,
		.old_value = vcpu->arch.xcr0,
		.new_value = val,
	};
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_XSETBV,
		.key = index,
		.data = &event,
		.size = sizeof(event),
		.emulated = emulated,
	};

	if (event.old_value == event.new_value && !vcpu->kvmi_repeats)
		return KVMI_VERDICT_NONE;

	return kvmi_vcpu_event(vcpu, &args, NULL);
}

/* Returns true if the instruction is to be left without effect. */
bool __kvmi_xcr_write(struct kvm_vcpu *vcpu, u32 index, u64 val)
{
	return write(vcpu, index, val, false) == KVMI_VERDICT_GIVE_UP;
}

bool __kvmi_emulated_xcr_write(struct kvm_vcpu *vcpu, u32 index, u64 val)
{
	if (write(vcpu, index, val, true) != KVMI_VERDICT_GIVE_UP)
		return false;

	vcpu->kvmi->abort_insn = true;
	return true;
}
