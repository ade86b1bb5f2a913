// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: how restricted pages are mapped. For what is left,
 * and never by a translation for more than itself.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "features.h"
#include "mmu.h"
#include "mmu/mmu_internal.h"
#include "mmu/tdp_mmu.h"
#include "page.h"

static bool can_be_unreadable(u8 access)
{
	return access == KVMI_PAGE_ACCESS_X && kvmi_has_execute_only();
}

/* What the tables of the hardware can tell. */
bool kvmi_arch_access_valid(u8 access)
{
	return !(access & ~KVMI_PAGE_ACCESS_ALL) &&
	       (!access || access & KVMI_PAGE_ACCESS_R ||
		can_be_unreadable(access));
}

static gfn_t huge_first(gfn_t gfn, int level)
{
	return gfn & -KVM_PAGES_PER_HPAGE(level);
}

static bool huge_restricted(struct kvm *kvm, gfn_t gfn, int level)
{
	gfn_t first = huge_first(gfn, level);

	return kvmi_access_restricted(kvm, first,
				      first + KVM_PAGES_PER_HPAGE(level) - 1);
}

/* Where the last restriction went, the huge page has to go to come back. */
static bool zap(struct kvm *kvm, gfn_t first, gfn_t last, bool flush)
{
	if (!huge_restricted(kvm, first, PG_LEVEL_2M))
		first = huge_first(first, PG_LEVEL_2M);
	if (!huge_restricted(kvm, last, PG_LEVEL_2M))
		last = huge_first(last, PG_LEVEL_2M) +
		       KVM_PAGES_PER_HPAGE(PG_LEVEL_2M) - 1;

	return kvm_tdp_mmu_zap_leafs(kvm, first, last + 1, flush);
}

static void flush_all(struct kvm *kvm)
{
	struct kvmi_counters *counters = &kvm->kvmi->counters;

	atomic_inc(&counters->zaps);
	kvm_flush_remote_tlbs(kvm);
	atomic_inc(&counters->zap_flushes);
}

/* No vCPU has an old translation when this returns. */
void kvmi_arch_access_changed(struct kvm *kvm, const gfn_t *gfns,
			      unsigned int n)
{
	unsigned int i, first = 0;
	bool flush = false;

	write_lock(&kvm->mmu_lock);
	for (i = 1; i <= n; i++) {
		if (i < n && gfns[i] - gfns[i - 1] <= 1)
			continue;
		flush = zap(kvm, gfns[first], gfns[i - 1], flush);
		first = i;
	}
	if (flush)
		flush_all(kvm);
	write_unlock(&kvm->mmu_lock);
}

/* The vCPU leaves the step view, whose next one flushes when it loads it. */
void kvmi_page_close(struct kvm_vcpu *vcpu, const struct kvmi_grants *grants)
{
	struct kvm *kvm = vcpu->kvm;
	unsigned int i;

	lockdep_assert_held(&kvm->kvmi->view_lock);

	write_lock(&kvm->mmu_lock);
	for (i = 0; i < grants->n; i++)
		kvmi_tdp_mmu_zap_step_view(kvm, grants->grant[i].gfn);
	write_unlock(&kvm->mmu_lock);
}

/* A grant may need one that the tables cannot tell from it. */
static u8 rights_in_view(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	u8 access = kvmi_access_get(vcpu->kvm, gfn);

	if (vcpu->arch.mmu->root_role.kvmi_step)
		access |= kvmi_grant_get(vcpu, gfn);

	if (access && !can_be_unreadable(access))
		access |= KVMI_PAGE_ACCESS_R;

	return access;
}

/* What a translation of this page may give. */
unsigned int __kvmi_page_rights(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	u8 access = rights_in_view(vcpu, gfn);
	unsigned int rights = 0;

	lockdep_assert_held_read(&vcpu->kvm->mmu_lock);

	if (access & KVMI_PAGE_ACCESS_R)
		rights |= ACC_USER_MASK;
	if (access & KVMI_PAGE_ACCESS_W)
		rights |= ACC_WRITE_MASK;
	if (access & KVMI_PAGE_ACCESS_X)
		rights |= ACC_EXEC_MASK;

	return rights;
}

int __kvmi_max_mapping_level(struct kvm *kvm, gfn_t gfn, int level)
{
	while (level > PG_LEVEL_4K && huge_restricted(kvm, gfn, level))
		level--;

	return level;
}
