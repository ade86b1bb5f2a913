// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: writes of MSRs.
 *
 * The hooks are at WRMSR, in its exit handler and in the emulator, and ahead of
 * the filter of user space, which then judges the value that the tool let
 * through. An MSR that cannot be read has no event: nothing could be compared.
 */
#include <linux/bitmap.h>
#include <linux/kvmi_host.h>
#include <asm/apicdef.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* The two ranges that Intel's bitmap of MSRs has, one behind the other. */
#define RANGE		0x2000u
#define HIGH_RANGE	0xc0000000u
#define MSRS		(2 * RANGE)

static int msr_to_bit(u32 msr)
{
	if (msr < RANGE)
		return msr;
	if (msr >= HIGH_RANGE && msr < HIGH_RANGE + RANGE)
		return RANGE + (msr - HIGH_RANGE);

	return -1;
}

static u32 bit_to_msr(unsigned int bit)
{
	return bit < RANGE ? bit : HIGH_RANGE + (bit - RANGE);
}

/*
 * The registers of the x2APIC are commands to send and to end interrupts. KVM
 * gives them to the hardware by ways of their own, most cannot be read, and the
 * same command twice is no change.
 */
static bool can_be_watched(u32 msr)
{
	return msr_to_bit(msr) >= 0 &&
	       (msr < APIC_BASE_MSR || msr > APIC_BASE_MSR + 0xff);
}

bool __kvmi_watches_msr(struct kvm_vcpu *vcpu, u32 msr)
{
	int bit = msr_to_bit(msr);

	if (!vcpu->kvmi || bit < 0)
		return false;
	if (vcpu->kvmi->watched_msrs && test_bit(bit, vcpu->kvmi->watched_msrs))
		return true;

	return kvmi_pending_is(vcpu, KVMI_VCPU_EVENT_MSR, msr);
}
EXPORT_SYMBOL_GPL(__kvmi_watches_msr);

/* For a vendor whose bitmap has no list of what KVM passes through. */
void kvmi_walk_watched_msrs(struct kvm_vcpu *vcpu,
			    void (*call)(struct kvm_vcpu *vcpu, u32 msr))
{
	unsigned int bit;

	if (!vcpu->kvmi || !vcpu->kvmi->watched_msrs)
		return;

	for_each_set_bit(bit, vcpu->kvmi->watched_msrs, MSRS)
		call(vcpu, bit_to_msr(bit));
}
EXPORT_SYMBOL_GPL(kvmi_walk_watched_msrs);

static enum kvmi_verdict write(struct kvm_vcpu *vcpu, u32 msr, u64 *val,
			       bool emulated)
{
	struct kvmi_vcpu_event_msr event = { .msr = msr, .new_value = *val };
	struct kvmi_vcpu_event_msr_reply reply;
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_MSR,
		.key = msr,
		.data = &event,
		.size = sizeof(event),
		.reply_size = sizeof(reply),
		.emulated = emulated,
	};
	enum kvmi_verdict verdict;

	if (__kvm_get_msr(vcpu, msr, &event.old_value, true))
		return KVMI_VERDICT_NONE;
	if (event.old_value == event.new_value && !vcpu->kvmi_repeats)
		return KVMI_VERDICT_NONE;

	verdict = kvmi_vcpu_event(vcpu, &args, &reply);
	if (verdict == KVMI_VERDICT_CONTINUE)
		*val = reply.new_val;

	return verdict;
}

/* Returns true if the instruction is to be left without effect. */
bool __kvmi_msr_write(struct kvm_vcpu *vcpu, u32 msr, u64 *val)
{
	if (!__kvmi_watches_msr(vcpu, msr))
		return false;

	return write(vcpu, msr, val, false) == KVMI_VERDICT_GIVE_UP;
}

bool __kvmi_emulated_msr_write(struct kvm_vcpu *vcpu, u32 msr, u64 *val)
{
	if (!__kvmi_watches_msr(vcpu, msr))
		return false;
	if (write(vcpu, msr, val, true) != KVMI_VERDICT_GIVE_UP)
		return false;

	vcpu->kvmi->abort_insn = true;
	return true;
}

static int watch(struct kvm_vcpu *vcpu, u32 msr, bool enable)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	if (enable && !kvm_msr_allowed(vcpu, msr, KVM_MSR_FILTER_WRITE))
		return -KVM_EPERM;
	if (!vcpui->watched_msrs) {
		vcpui->watched_msrs = bitmap_zalloc(MSRS, GFP_KERNEL_ACCOUNT);
		if (!vcpui->watched_msrs)
			return -KVM_ENOMEM;
	}

	__assign_bit(msr_to_bit(msr), vcpui->watched_msrs, enable);
	kvmi_interception_changed(vcpu);

	return 0;
}

int handle_vcpu_control_msr(struct kvmi_session *session,
			    struct kvm_vcpu *vcpu, const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_control_msr *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	int err;

	if (req->padding1 || req->padding2 || req->enable > 1 ||
	    !can_be_watched(req->msr))
		err = -KVM_EINVAL;
	else
		err = watch(vcpu, req->msr, req->enable);

	return kvmi_reply(session, msg, err, NULL, 0);
}
