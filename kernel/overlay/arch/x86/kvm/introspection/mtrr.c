// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: the type that the guest's MTRRs give to an address.
 *
 * KVM itself only stores these registers.
 */
#include <linux/kvmi_host.h>
#include <asm/mtrr.h>

#include "cpuid.h"

#include "../../../../virt/kvm/introspection/introspection.h"

#define DEFTYPE_TYPE		0xff
#define DEFTYPE_FIXED		BIT_ULL(10)
#define DEFTYPE_ENABLED		BIT_ULL(11)
#define MASK_VALID		BIT_ULL(11)

#define FIXED_END		0x100000
#define FIXED_16K_BEGIN		0x80000
#define FIXED_4K_BEGIN		0xc0000

/* Each register has 8 types of a byte, the lowest address in the lowest. */
static u8 fixed_type(const struct kvm_mtrr *mtrr, u64 gpa)
{
	const u64 *regs;
	unsigned int n;

	if (gpa < FIXED_16K_BEGIN) {
		regs = &mtrr->fixed_64k;
		n = gpa / SZ_64K;
	} else if (gpa < FIXED_4K_BEGIN) {
		regs = mtrr->fixed_16k;
		n = (gpa - FIXED_16K_BEGIN) / SZ_16K;
	} else {
		regs = mtrr->fixed_4k;
		n = (gpa - FIXED_4K_BEGIN) / SZ_4K;
	}

	return regs[n / 8] >> (n % 8 * 8);
}

/* Of two ranges; where the manuals leave it open, the one that is safe. */
static u8 overlap_type(u8 a, u8 b)
{
	if (a == b)
		return a;
	if ((a == MTRR_TYPE_WRTHROUGH && b == MTRR_TYPE_WRBACK) ||
	    (a == MTRR_TYPE_WRBACK && b == MTRR_TYPE_WRTHROUGH))
		return MTRR_TYPE_WRTHROUGH;

	return MTRR_TYPE_UNCACHABLE;
}

static u8 variable_type(const struct kvm_mtrr *mtrr, u64 gpa, u64 beyond)
{
	bool found = false;
	u8 type = mtrr->deftype & DEFTYPE_TYPE;
	unsigned int i;
	u64 base, mask;

	for (i = 0; i < KVM_NR_VAR_MTRR; i++) {
		base = mtrr->var[2 * i];
		mask = mtrr->var[2 * i + 1];
		if (!(mask & MASK_VALID) ||
		    (base ^ gpa) & ((mask & PAGE_MASK) | beyond))
			continue;
		type = found ? overlap_type(type, base) : (u8)base;
		found = true;
	}

	return type;
}

/* beyond: the bits of an address that the guest's processor does not have */
static u8 guest_type(const struct kvm_mtrr *mtrr, u64 gpa, u64 beyond)
{
	if (!(mtrr->deftype & DEFTYPE_ENABLED))
		return MTRR_TYPE_UNCACHABLE;
	if (gpa < FIXED_END && mtrr->deftype & DEFTYPE_FIXED)
		return fixed_type(mtrr, gpa);

	return variable_type(mtrr, gpa, beyond);
}

int handle_vcpu_get_mtrr_type(struct kvmi_session *session,
			      struct kvm_vcpu *vcpu,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_get_mtrr_type *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	struct kvmi_vcpu_get_mtrr_type_reply rpl = {};

	/* A processor without them caches all, whatever they would say. */
	if (guest_cpuid_has(vcpu, X86_FEATURE_MTRR))
		rpl.type = guest_type(&vcpu->arch.mtrr_state, req->gpa,
				      kvm_vcpu_reserved_gpa_bits_raw(vcpu));
	else
		rpl.type = MTRR_TYPE_WRBACK;

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}
