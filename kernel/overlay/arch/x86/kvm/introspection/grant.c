// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: accesses that a tool has allowed to an instruction.
 *
 * Each belongs to one instruction, or to the delivery of one event, and ends
 * with it: by then it may have been looked at more than once, as an instruction
 * may touch a page twice, or be repeated for the sake of another page.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "page.h"

#include "../../../../virt/kvm/introspection/introspection.h"

/* What is open to the processor is remembered until it is taken back. */
static struct kvmi_grants *grants_get(struct kvm_vcpu *vcpu)
{
	struct kvmi_grants *grants = &vcpu->kvmi->grants;

	if (grants->rip != kvmi_arch_rip(vcpu) && !kvmi_view_is_step(vcpu)) {
		grants->n = 0;
		grants->rip = kvmi_arch_rip(vcpu);
	}

	return grants;
}

u8 kvmi_grant_get(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvmi_grants *grants = grants_get(vcpu);
	unsigned int i;
	u8 access = 0;

	for (i = 0; i < grants->n; i++)
		if (grants->grant[i].gfn == gfn)
			access |= grants->grant[i].access;

	return access;
}

/* One instruction does not touch more pages; if it does, it asks once more. */
static void forget_oldest(struct kvm_vcpu *vcpu)
{
	struct kvmi_grants *grants = &vcpu->kvmi->grants;

	kvmi_arch_view_suspend(vcpu);
	memmove(&grants->grant[0], &grants->grant[1],
		--grants->n * sizeof(grants->grant[0]));
}

void kvmi_grant_add(struct kvm_vcpu *vcpu, gfn_t gfn, u8 access)
{
	struct kvmi_grants *grants = grants_get(vcpu);

	if (grants->n == KVMI_GRANTS_MAX)
		forget_oldest(vcpu);
	grants->grant[grants->n].gfn = gfn;
	grants->grant[grants->n++].access = access;
}

/* Those that are open to the processor go when they are taken from it. */
void kvmi_grant_forget(struct kvm_vcpu *vcpu)
{
	if (!kvmi_view_is_step(vcpu))
		vcpu->kvmi->grants.n = 0;
}

/* The instruction is done, or a part of it that is done by itself. */
void __kvmi_insn_done(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi)
		return;
	vcpu->kvmi->step.done = true;
	kvmi_grant_forget(vcpu);
}
EXPORT_SYMBOL_GPL(__kvmi_insn_done);

/* It ends with an exception instead, or goes on with its next part. */
void __kvmi_insn_left(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi)
		kvmi_grant_forget(vcpu);
}
