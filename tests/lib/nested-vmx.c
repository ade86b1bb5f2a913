// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU that enters a guest of its own by VMX's VMLAUNCH.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "nested.h"
#include "test.h"

#define FEATURE_CONTROL	0x3a
#define ENABLED		5		/* and locked */
#define VMX_BASIC	0x480
#define CR4_VMXE	0x2000
#define CR0_NE		0x20
#define END		0xffffffff
#define FLAT_CODE	0xc09b
#define FLAT_DATA	0xc093
#define BUSY_TSS	0x8b
#define UNUSABLE	0x10000

/* The fields of a VMCS (Intel's manual, volume 3, appendix B) that are not 0. */
enum {
	VMCS_HOST_SELECTOR = 0xc00,		/* es cs ss ds fs gs tr, each 2 more */
	VMCS_LINK_POINTER = 0x2800,		/* and its high half */
	VMCS_PIN_CONTROLS = 0x4000,
	VMCS_PRIMARY_CONTROLS = 0x4002,
	VMCS_EXIT_CONTROLS = 0x400c,
	VMCS_ENTRY_CONTROLS = 0x4012,
	VMCS_GUEST_SEGMENT_LIMIT = 0x4800,	/* es cs ss ds fs gs ldtr tr */
	VMCS_GUEST_SEGMENT_ACCESS = 0x4814,	/* the same */
	VMCS_GUEST_CR0 = 0x6800,
	VMCS_GUEST_CR3 = 0x6802,
	VMCS_GUEST_CR4 = 0x6804,
	VMCS_GUEST_DR7 = 0x681a,
	VMCS_GUEST_RFLAGS = 0x6820,
	VMCS_HOST_CR0 = 0x6c00,
	VMCS_HOST_CR3 = 0x6c02,
	VMCS_HOST_CR4 = 0x6c04,
	VMCS_HOST_RIP = 0x6c16,
};

extern const uint8_t guest_nested_vmx_exit[];

struct field {
	uint32_t encoding;
	uint32_t value;
};

static uint64_t get_msr(struct vmm_vcpu *vcpu, uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head.nmsrs = 1, .entry.index = index };

	expect(1, ioctl(vcpu->fd, KVM_GET_MSRS, &msrs));
	return msrs.entry.data;
}

static void enable(struct vmm_vcpu *vcpu)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry.index = FEATURE_CONTROL,
		.entry.data = ENABLED,
	};

	expect(1, ioctl(vcpu->fd, KVM_SET_MSRS, &msrs));
}

static void add(struct field **next, uint32_t encoding, uint32_t value)
{
	*(*next)++ = (struct field){ encoding, value };
}

/* The bits of the controls that must be 1, and no other. */
static void add_controls(struct vmm_vcpu *vcpu, struct field **next)
{
	add(next, VMCS_PIN_CONTROLS, get_msr(vcpu, VMX_BASIC + 1));
	add(next, VMCS_PRIMARY_CONTROLS, get_msr(vcpu, VMX_BASIC + 2));
	add(next, VMCS_EXIT_CONTROLS, get_msr(vcpu, VMX_BASIC + 3));
	add(next, VMCS_ENTRY_CONTROLS, get_msr(vcpu, VMX_BASIC + 4));
}

static void add_segments(struct field **next)
{
	static const uint32_t access[] = {
		FLAT_DATA, FLAT_CODE, FLAT_DATA, FLAT_DATA, FLAT_DATA,
		FLAT_DATA, UNUSABLE, BUSY_TSS,
	};
	int i;

	for (i = 0; i < 8; i++) {
		add(next, VMCS_GUEST_SEGMENT_ACCESS + 2 * i, access[i]);
		add(next, VMCS_GUEST_SEGMENT_LIMIT + 2 * i,
		    access[i] == BUSY_TSS ? 0x67 : 0xffffffff);
	}
	for (i = 0; i < 7; i++)
		add(next, VMCS_HOST_SELECTOR + 2 * i, i == 1 ? 8 : 16);
}

/* The guest has the host's pages; it sets RIP itself. */
static void add_state(struct field **next, const struct kvm_sregs *sregs)
{
	add(next, VMCS_LINK_POINTER, 0xffffffff);
	add(next, VMCS_LINK_POINTER + 1, 0xffffffff);
	add(next, VMCS_GUEST_CR0, sregs->cr0);
	add(next, VMCS_GUEST_CR3, sregs->cr3);
	add(next, VMCS_GUEST_CR4, sregs->cr4);
	add(next, VMCS_GUEST_DR7, 0x400);
	add(next, VMCS_GUEST_RFLAGS, 0x202);
	add(next, VMCS_HOST_CR0, sregs->cr0);
	add(next, VMCS_HOST_CR3, sregs->cr3);
	add(next, VMCS_HOST_CR4, sregs->cr4);
	add(next, VMCS_HOST_RIP, guest_nested_vmx.gpa +
	    (guest_nested_vmx_exit - guest_nested_vmx.code));
	add(next, END, 0);
}

/* The first word of both areas is the revision. */
void nested_load_vmx(struct vmm_vcpu *vcpu, struct kvm_regs *regs,
		     struct kvm_sregs *sregs)
{
	struct field *next = (void *)vmm_host(vcpu->vm, NESTED_LIST);
	uint32_t revision;

	enable(vcpu);
	revision = get_msr(vcpu, VMX_BASIC);
	memcpy(vmm_host(vcpu->vm, NESTED_AREA), &revision, sizeof(revision));
	memcpy(vmm_host(vcpu->vm, NESTED_AREA_2), &revision, sizeof(revision));
	vmm_vcpu_load(vcpu, &guest_nested_vmx_inner);
	vmm_vcpu_load(vcpu, &guest_nested_vmx);
	sregs->cr0 |= CR0_NE;
	sregs->cr4 |= CR4_VMXE;
	add_controls(vcpu, &next);
	add_segments(&next);
	add_state(&next, sregs);
	regs->rip = guest_nested_vmx.gpa;
	regs->rax = NESTED_AREA;
	regs->rbx = NESTED_AREA_2;
	regs->rsi = NESTED_LIST;
	regs->rsp = GUEST_TARGET + 4096;
}
