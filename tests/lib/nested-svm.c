// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that enters a guest of its own by SVM's VMRUN.
 */
#include <string.h>

#include "nested.h"
#include "test.h"

#define MSR_VM_HSAVE_PA	0xc0010117
#define EFER_SVME	(1 << 12)

/* Offsets in the VMCB (AMD's manual, volume 2, appendix B). */
enum {
	VMCB_INTERCEPT_MISC2 = 0x010,	/* VMRUN must be set, VMMCALL */
	VMCB_ASID = 0x058,
	VMCB_SAVE = 0x400,		/* segments: es cs ss ds fs gs */
	VMCB_EFER = 0x4d0,
	VMCB_CR0 = 0x558,
	VMCB_DR7 = 0x560,
	VMCB_DR6 = 0x568,
	VMCB_RFLAGS = 0x570,
	VMCB_RSP = 0x5d8,
};

static void put(uint8_t *vmcb, int offset, uint64_t value, int size)
{
	memcpy(vmcb + offset, &value, size);
}

/* The guest sets RIP itself. */
static void vmcb_fill(uint8_t *vmcb)
{
	int segment;

	put(vmcb, VMCB_INTERCEPT_MISC2, 3, 4);
	put(vmcb, VMCB_ASID, 1, 4);
	for (segment = 0; segment < 6; segment++) {
		int at = VMCB_SAVE + 16 * segment;

		put(vmcb, at + 2, segment == 1 ? 0x9b : 0x93, 2);
		put(vmcb, at + 4, 0xffff, 4);
	}
	put(vmcb, VMCB_EFER, EFER_SVME, 8);
	put(vmcb, VMCB_CR0, 0x10, 8);
	put(vmcb, VMCB_DR7, 0x400, 8);
	put(vmcb, VMCB_DR6, 0xffff0ff0, 8);
	/* With interrupts off Bochs never leaves it for those of level 1. */
	put(vmcb, VMCB_RFLAGS, 0x202, 8);
	put(vmcb, VMCB_RSP, 0, 8);
}

void nested_load_svm(struct vmm_vcpu *vcpu, struct kvm_regs *regs,
		     struct kvm_sregs *sregs)
{
	vmm_vcpu_load(vcpu, &guest_nested_inner);
	vmm_vcpu_load(vcpu, &guest_nested);
	vmcb_fill(vmm_host(vcpu->vm, NESTED_AREA));
	regs->rip = guest_nested.gpa;
	regs->rax = NESTED_AREA;
	regs->rbx = NESTED_AREA_2;
	regs->rcx = MSR_VM_HSAVE_PA;
	sregs->efer |= EFER_SVME;
}
