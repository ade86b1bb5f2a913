// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: instructions that load or store IDTR, GDTR, LDTR
 * and TR.
 *
 * An intercepted one is emulated, and the hook is in the emulator: there it is
 * seen once, whoever wanted the emulation. A task switch loads LDTR and TR by
 * another way and is not seen.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "features.h"
#include "kvm_cache_regs.h"
#include "kvm_emulate.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

#define DESCRIPTOR(insn, table, is_write) \
	[x86_intercept_##insn] = { KVMI_DESC_##table, is_write }

/* The emulator's names of the instructions. */
static const struct {
	u8 table;		/* 0: none of them */
	bool write;
} descriptors[nr_x86_intercepts] = {
	DESCRIPTOR(sidt, IDTR, false),
	DESCRIPTOR(sgdt, GDTR, false),
	DESCRIPTOR(sldt, LDTR, false),
	DESCRIPTOR(str, TR, false),
	DESCRIPTOR(lidt, IDTR, true),
	DESCRIPTOR(lgdt, GDTR, true),
	DESCRIPTOR(lldt, LDTR, true),
	DESCRIPTOR(ltr, TR, true),
};

bool kvmi_wants_descriptors(struct kvm_vcpu *vcpu)
{
	const struct kvmi_vcpu *vcpui = vcpu->kvmi;

	if (!vcpui)
		return false;

	return test_bit(KVMI_VCPU_EVENT_DESCRIPTOR, vcpui->events) ||
	       (vcpui->pending.state != KVMI_PENDING_NONE &&
		vcpui->pending.event == KVMI_VCPU_EVENT_DESCRIPTOR);
}
EXPORT_SYMBOL_GPL(kvmi_wants_descriptors);

bool kvmi_arch_event_supported(u16 id)
{
	return id != KVMI_VCPU_EVENT_DESCRIPTOR ||
	       kvmi_has_descriptors();
}

/* UMIP is the one check that the emulator makes later. */
static bool faults(struct kvm_vcpu *vcpu, bool write)
{
	return !write && kvm_is_cr4_bit_set(vcpu, X86_CR4_UMIP) &&
	       kvm_x86_call(get_cpl)(vcpu) > 0;
}

/* Returns true if the instruction is to be left without effect. */
bool __kvmi_emulated_descriptor(struct kvm_vcpu *vcpu, int intercept)
{
	struct kvmi_vcpu_event_descriptor event = {
		.descriptor = descriptors[intercept].table,
		.write = descriptors[intercept].write,
	};
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_DESCRIPTOR,
		.key = event.descriptor | event.write << 8,
		.data = &event,
		.size = sizeof(event),
		.emulated = true,
	};

	if (!event.descriptor || faults(vcpu, event.write) ||
	    !kvmi_wants_descriptors(vcpu))
		return false;
	if (kvmi_vcpu_event(vcpu, &args, NULL) != KVMI_VERDICT_GIVE_UP)
		return false;

	vcpu->kvmi->abort_insn = true;
	return true;
}
