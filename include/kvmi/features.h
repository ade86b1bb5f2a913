/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR LGPL-2.1+ */
/*
 * KVMI: the one list of what a host can have or lack, and of what differs
 * between AMD and Intel for a tool.
 *
 * The kernel's /sys/module/kvm/parameters/introspection_features, 'kvmi doctor'
 * and docs/vendors.rst are made from these lists. To add a feature: write its
 * row here, its predicate in the kernel, and show in tests/live/features.c that
 * it is what a tool sees.
 *
 * KVMI_FEATURES(F)  F(name, meaning, amd, intel, without)
 *	name	the kernel's predicate is kvmi_has_##name, and it is the name in
 *		the kernel's file, of one line for each that this host has
 *	meaning	what it is
 *	amd	by what a processor of AMD has it; "always" or "never" where
 *		all that KVM runs on are equal
 *	intel	the same of Intel
 *	without	what a tool sees on a host that lacks it
 *
 * KVMI_DIFFERENCES(D)  D(subject, amd, intel)
 *	What is one way with AMD and another with Intel, on each processor.
 */
#ifndef _KVMI_FEATURES_H
#define _KVMI_FEATURES_H

#define KVMI_FEATURES(F) \
	F(tdp_mmu, "page tables of VMs that keep rights for each page", \
	  "nested paging, with kvm_amd.npt=1 and kvm.tdp_mmu=1", \
	  "EPT, with kvm_intel.ept=1 and kvm.tdp_mmu=1", \
	  "HOOK answers EOPNOTSUPP, for each VM") \
	F(singlestep, "vCPUs that go by single instructions", \
	  "always, by the trap flag", \
	  "the monitor trap flag", \
	  "VCPU_CONTROL_SINGLESTEP answers EOPNOTSUPP, and singlestep of " \
	  "GET_VERSION is 0; CONTINUE of PF ends KVM_RUN with an error where " \
	  "KVM's emulator does not know the instruction, or there is none") \
	F(descriptors, "the event DESCRIPTOR", \
	  "always, by an intercept for each instruction", \
	  "descriptor-table exiting", \
	  "VCPU_CONTROL_EVENTS answers EOPNOTSUPP for DESCRIPTOR") \
	F(execute_only, "pages that can be executed and not read", \
	  "never", \
	  "execute-only translations of EPT", \
	  "VM_SET_PAGE_ACCESS answers EINVAL for the right to execute alone") \
	F(fault_gva, "in PF the guest's address of what the processor accesses", \
	  "never", \
	  "always, but for its walks of the guest's page tables", \
	  "gva of PF is ~0 where KVM's emulator does not know the instruction, " \
	  "or there is none") \
	F(tsc_speed, "the speed of a vCPU's time stamp counter", \
	  "the register for the TSC ratio", \
	  "TSC scaling", \
	  "tsc_speed of VCPU_GET_INFO is 0")

#define KVMI_DIFFERENCES(D) \
	D("A hypercall", \
	  "VMMCALL; VMCALL has the event as well, through KVM's emulator", \
	  "VMCALL; VMMCALL has the event as well, through KVM's emulator") \
	D("A write of CR0 that changes TS alone", \
	  "has an event", \
	  "has none") \
	D("The error code that the guest gets of an exception by " \
	  "VCPU_INJECT_EXCEPTION", \
	  "all 32 bits", \
	  "the low 16 bits; TRAP tells all 32") \
	D("A walk of the guest's page tables by the processor", \
	  "writes, where it is told at all", \
	  "writes, where it is told at all and EPT keeps accessed and dirty " \
	  "bits, else reads") \
	D("What is emulated because a vCPU goes by single instructions", \
	  "MOV SS, POP SS, PUSHF, POPF, SYSCALL and SYSRET, which loads the " \
	  "flat SS of Intel", \
	  "nothing") \
	D("A vCPU of a hooked VM that enters a guest of its own", \
	  "gets VMEXIT_INVALID of VMRUN", \
	  "gets VM-instruction error 7 of VMLAUNCH and VMRESUME") \
	D("A VM whose memory the host cannot read", \
	  "is one with SEV: HOOK answers EOPNOTSUPP", \
	  "is none that KVM of Linux 6.12 runs")

#endif /* _KVMI_FEATURES_H */
