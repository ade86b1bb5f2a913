/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection on x86: what this host has of KVMI_FEATURES. Whoever grants
 * or refuses something asks here, and so does what user space reads of it.
 */
#ifndef __KVM_X86_KVMI_FEATURES_H
#define __KVM_X86_KVMI_FEATURES_H

#include "mmu.h"
#include "vendor.h"
#include "x86.h"

/* Rights of pages are kept by the TDP MMU alone. */
static inline bool kvmi_has_tdp_mmu(void)
{
	return tdp_mmu_enabled;
}

static inline bool kvmi_has_singlestep(void)
{
	return kvmi_vendor->step_supported();
}

static inline bool kvmi_has_descriptors(void)
{
	return kvmi_vendor->descriptors_supported();
}

static inline bool kvmi_has_execute_only(void)
{
	return kvmi_vendor->execute_only && kvmi_vendor->execute_only();
}

static inline bool kvmi_has_fault_gva(void)
{
	return kvmi_vendor->fault_gva;
}

static inline bool kvmi_has_tsc_speed(void)
{
	return kvm_caps.has_tsc_control;
}

void kvmi_features_find(void);

#endif /* __KVM_X86_KVMI_FEATURES_H */
