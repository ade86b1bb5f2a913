// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that enters a guest of its own: what SVM and VMX have in common.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "nested.h"
#include "test.h"

#define PAUSE		1000000
#define SVM		(1 << 2)	/* of leaf 80000001h, ecx */
#define VMX		(1 << 5)	/* of leaf 1, ecx */

static uint32_t ecx_of(const struct kvm_cpuid2 *cpuid, uint32_t function)
{
	uint32_t i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function)
			return cpuid->entries[i].ecx;
	return 0;
}

/* All that KVM can give, and SVM or VMX must be in it. True for SVM. */
static bool set_cpuid(struct vmm_vcpu *vcpu)
{
	const int room = 256;
	struct kvm_cpuid2 *cpuid;
	bool svm, vmx;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	svm = ecx_of(cpuid, 0x80000001) & SVM;
	vmx = ecx_of(cpuid, 1) & VMX;
	if (!svm && !vmx)
		skip("KVM gives its guests neither SVM nor VMX");
	must(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid));
	free(cpuid);
	return svm;
}

/* Flat 32-bit protected mode with pages: KVM takes an entry in no other. */
static void get_flat(struct vmm_vcpu *vcpu, struct kvm_sregs *sregs)
{
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	/* One page of 4 MiB, present and writable, at 0. */
	uint32_t entry = 0x83;

	memcpy(vmm_host(vcpu->vm, NESTED_TABLE), &entry, sizeof(entry));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, sregs));
	sregs->ds = sregs->es = sregs->ss = sregs->fs = sregs->gs = data;
	sregs->cs = data;
	sregs->cs.selector = 8;
	sregs->cs.type = 11;
	sregs->cr0 |= 0x80000001;
	sregs->cr3 = NESTED_TABLE;
	sregs->cr4 |= 0x10;
}

void nested_load(struct vmm_vcpu *vcpu)
{
	bool svm = set_cpuid(vcpu);
	struct kvm_regs regs = { .rflags = 0x202 };
	struct kvm_sregs sregs;

	*(uint32_t *)vmm_host(vcpu->vm, GUEST_ENTRIES_PAUSE) = PAUSE;
	get_flat(vcpu, &sregs);
	if (svm)
		nested_load_svm(vcpu, &regs, &sregs);
	else
		nested_load_vmx(vcpu, &regs, &sregs);
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}
