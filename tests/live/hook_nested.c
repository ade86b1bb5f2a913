// SPDX-License-Identifier: GPL-2.0-only
/*
 * HOOK while a vCPU is inside its own guest: refused with EBUSY, for what the
 * tool would see is not the VM. The guest is a VMRUN of a few instructions, so
 * this needs AMD and nested virtualisation.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define VMCB_GPA	0x10000
#define HSAVE_GPA	0x11000
#define TABLE_GPA	0x12000
#define MSR_VM_HSAVE_PA	0xc0010117
#define EFER_SVME	(1 << 12)

/* Offsets in the VMCB (AMD's manual, volume 2, appendix B). */
enum {
	VMCB_INTERCEPT_MISC2 = 0x010,	/* bit 0: VMRUN, must be set */
	VMCB_ASID = 0x058,
	VMCB_SAVE = 0x400,		/* segments: es cs ss ds fs gs */
	VMCB_EFER = 0x4d0,
	VMCB_CR0 = 0x558,
	VMCB_DR7 = 0x560,
	VMCB_DR6 = 0x568,
	VMCB_RFLAGS = 0x570,
	VMCB_RIP = 0x578,
	VMCB_RSP = 0x5d8,
};

static void put(uint8_t *vmcb, int offset, uint64_t value, int size)
{
	memcpy(vmcb + offset, &value, size);
}

/* The nested guest runs the busy loop in real mode, as vCPU index 0. */
static void vmcb_fill(uint8_t *vmcb)
{
	int segment;

	put(vmcb, VMCB_INTERCEPT_MISC2, 1, 4);
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
	put(vmcb, VMCB_RFLAGS, 2, 8);
	put(vmcb, VMCB_RIP, guest_busy.gpa, 8);
	put(vmcb, VMCB_RSP, 0, 8);
}

/* All that KVM can give, and SVM must be in it. */
static void set_cpuid(struct vmm_vcpu *vcpu)
{
	const int room = 256;
	struct kvm_cpuid2 *cpuid;
	bool svm = false;
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000001)
			svm = cpuid->entries[i].ecx & 4;
	if (!svm)
		skip("KVM gives its guests no SVM");
	must(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid));
	free(cpuid);
}

/* Flat 32-bit protected mode with pages: KVM takes a VMRUN in no other. */
static void set_registers(struct vmm_vcpu *vcpu)
{
	struct kvm_regs regs = {
		.rip = guest_nested.gpa,
		.rflags = 2,
		.rax = VMCB_GPA,
		.rbx = HSAVE_GPA,
		.rcx = MSR_VM_HSAVE_PA,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs sregs;
	/* One page of 4 MiB, present and writable, at 0. */
	uint32_t entry = 0x83;

	memcpy(vmm_host(vcpu->vm, TABLE_GPA), &entry, sizeof(entry));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.cr0 |= 0x80000001;
	sregs.cr3 = TABLE_GPA;
	sregs.cr4 |= 0x10;
	sregs.efer |= EFER_SVME;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;

	hook_require(vm);
	vcpu = vmm_vcpu_create(vm, 0);
	set_cpuid(vcpu);
	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_load(vcpu, &guest_nested);
	set_registers(vcpu);
	/* Its nested guest counts in di; the counter's index is 0. */
	vmcb_fill(vmm_host(vm, VMCB_GPA));

	/* Virtualisation that is merely on is no reason to refuse. */
	hook_expect_usable(vm);

	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);
	expect(-EBUSY, __hook_fd(vm, -1));
	expect(-EBUSY, __hook(vm, &peer));
	cell("ioctl:HOOK:EBUSY");
	vmm_expect_alive(vcpu);
	vmm_destroy(vm);
	return 0;
}
