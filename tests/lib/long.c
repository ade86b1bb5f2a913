// SPDX-License-Identifier: GPL-2.0-only
/*
 * The events guest: tables of 64-bit mode, handlers, the timer.
 */
#include <cpuid.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "test.h"
#include "vmm.h"

#define PAGE		4096ul
/* Pages from GUEST_TABLES on. */
enum { PML4, PML4_TWIN, PDPT, PD };

#define GDT_LIMIT	(GUEST_SELECTOR_TSS + 16 * VMM_VCPUS - 1)
#define IDT_LIMIT	(256 * 16 - 1)
#define MSR_KERNEL_GS_BASE	0xc0000102
#define CR4_OSXSAVE	(1 << 18)

#define VECTOR_INT3	3
#define VECTOR_UD	6
#define VECTOR_GP	13
#define VECTOR_TIMER	0x20

/* Registers of the local APIC. */
enum {
	APIC_SPIV = 0x0f0,
	APIC_LVTT = 0x320,
	APIC_TMICT = 0x380,
	APIC_TMCCT = 0x390,
	APIC_TDCR = 0x3e0,
};

static uint64_t table(int page)
{
	return GUEST_TABLES + page * PAGE;
}

uint64_t vmm_label(const uint8_t *label)
{
	return GUEST_EVENTS + (label - guest_events.code);
}

#define DESCRIPTOR(NAME, name) \
	[GUEST_##NAME - GUEST_DESCRIPTOR] = guest_events_##name

static const uint8_t *const descriptors[] = {
	DESCRIPTOR(SIDT, sidt), DESCRIPTOR(SGDT, sgdt),
	DESCRIPTOR(SLDT, sldt), DESCRIPTOR(STR, str),
	DESCRIPTOR(LIDT, lidt), DESCRIPTOR(LGDT, lgdt),
	DESCRIPTOR(LLDT, lldt), DESCRIPTOR(LTR, ltr),
};

uint64_t vmm_kind_rip(uint64_t kind)
{
	switch (kind) {
	case GUEST_CR0:
		return vmm_label(guest_events_cr0);
	case GUEST_CR3:
		return vmm_label(guest_events_cr3);
	case GUEST_CR4:
		return vmm_label(guest_events_cr4);
	case GUEST_INT3:
		return vmm_label(guest_events_int3);
	case GUEST_HYPERCALL:
		return vmm_label(guest_events_hypercall);
	case GUEST_NOP:
		return vmm_label(guest_events_nop);
	case GUEST_OTHER_CALL:
		return vmm_label(guest_events_other_call);
	case GUEST_TRAP:
		return vmm_label(guest_events_trap);
	case GUEST_XMM:
		return vmm_label(guest_events_xmm);
	case GUEST_PAGE:
		return vmm_label(guest_events_page);
	case GUEST_HLT:
		return vmm_label(guest_events_hlt);
	case GUEST_MSR:
		return vmm_label(guest_events_msr);
	case GUEST_XSETBV:
		return vmm_label(guest_events_xsetbv);
	default:
		expect_true(kind > GUEST_DESCRIPTOR && kind <= GUEST_LTR);
		return vmm_label(descriptors[kind - GUEST_DESCRIPTOR]);
	}
}

void vmm_page_code(struct vmm *vm, const void *code, size_t size)
{
	uint8_t *at = vmm_host(vm, vmm_label(guest_events_page));

	expect_true(size <= GUEST_PAGE_CODE);
	memset(at, 0x90, GUEST_PAGE_CODE);
	memcpy(at, code, size);
}

volatile struct guest_state *vmm_state(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm,
			GUEST_STATE + PAGE * (vcpu - vcpu->vm->vcpus));
}

/* The first 4 GiB as they are and at VMM_ALIAS, in pages of 2 MiB. */
static void fill_pages(uint8_t *memory)
{
	uint64_t *pd = (uint64_t *)(memory + table(PD));
	uint64_t *pdpt = (uint64_t *)(memory + table(PDPT));
	uint64_t i;

	for (i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0x83;
	for (i = 0; i < 4; i++)
		pdpt[i] = table(PD + i) | 3;
	for (i = 0; i < 2; i++) {
		((uint64_t *)(memory + table(PML4)))[i] = table(PDPT) | 3;
		((uint64_t *)(memory + table(PML4_TWIN)))[i] = table(PDPT) | 3;
	}
}

static void fill_gate(uint8_t *memory, int vector, uint64_t at)
{
	uint64_t *gate = (uint64_t *)(memory + GUEST_IDT) + 2 * vector;

	gate[0] = (at & 0xffff) | 8 << 16 | 0x8eull << 40 |
		  (at >> 16 & 0xffff) << 48;
	gate[1] = at >> 32;
}

static void fill_tables(uint8_t *memory)
{
	uint64_t *gdt = (uint64_t *)(memory + GUEST_GDT);
	int i;

	fill_pages(memory);
	gdt[1] = 0x00af9b000000ffff;
	gdt[2] = 0x00cf93000000ffff;
	gdt[3] = 0x00cf9b000000ffff;
	/* Both in a part of the page that is zero. */
	gdt[GUEST_SELECTOR_LDT / 8] = (GUEST_GDT + 0x800ull) << 16 |
				      0x820000000007;
	for (i = 0; i < VMM_VCPUS; i++)
		gdt[GUEST_SELECTOR_TSS / 8 + 2 * i] =
			(GUEST_GDT + 0x900ull) << 16 | 0x890000000067;
	for (i = 0; i < 256; i++)
		fill_gate(memory, i, vmm_label(guest_events_on_other));
	fill_gate(memory, VECTOR_INT3, vmm_label(guest_events_on_int3));
	fill_gate(memory, VECTOR_GP, vmm_label(guest_events_on_gp));
	fill_gate(memory, VECTOR_UD, vmm_label(guest_events_on_ud));
	fill_gate(memory, VECTOR_TIMER, vmm_label(guest_events_on_timer));
}

void vmm_gate(struct vmm *vm, int vector, uint64_t at)
{
	fill_gate(vmm_host(vm, 0), vector, at);
}

void events_catch(uint8_t *memory)
{
	int i;

	memcpy(memory + GUEST_STUBS, guest_caught.code,
	       guest_caught.end - guest_caught.code);
	for (i = 0; i < 32; i++)
		fill_gate(memory, i, GUEST_STUBS + 16 * i);
}

void vmm_catch(struct vmm *vm)
{
	events_catch(vmm_host(vm, 0));
}

bool vmm_is_intel(void)
{
	unsigned int a, b = 0, c, d;

	__get_cpuid(0, &a, &b, &c, &d);
	return b == signature_INTEL_ebx;
}

static void fill_code(uint8_t *memory)
{
	memcpy(memory + GUEST_EVENTS, guest_events.code,
	       guest_events.end - guest_events.code);
	if (!vmm_is_intel())
		return;
	memcpy(memory + vmm_label(guest_events_hypercall), "\x0f\x01\xc1", 3);
	memcpy(memory + vmm_label(guest_events_other_call), "\x0f\x01\xd9",
	       3);
}

void events_fill(uint8_t *memory)
{
	fill_tables(memory);
	fill_code(memory);
}

void vmm_user(struct vmm *vm)
{
	uint64_t *entry = vmm_host(vm, GUEST_TABLES);
	unsigned int i;

	for (i = 0; i < (GUEST_GDT - GUEST_TABLES) / sizeof(*entry); i++)
		if (entry[i] & 1)
			entry[i] |= 4;
}

/* All that KVM can give. */
static void set_cpuid(struct vmm_vcpu *vcpu)
{
	const int room = 256;
	struct kvm_cpuid2 *cpuid;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vcpu->vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	must(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid));
	free(cpuid);
}

static void fill_state(struct vmm_vcpu *vcpu, uint64_t kind)
{
	volatile struct guest_state *state = vmm_state(vcpu);
	bool gdt = kind == GUEST_LGDT;
	uint16_t limit = gdt ? GDT_LIMIT : IDT_LIMIT;
	uint64_t base = gdt ? GUEST_GDT : GUEST_IDT;

	state->kind = kind;
	/* KVM lets a guest write this one itself, on any CPU. */
	state->msr = MSR_KERNEL_GS_BASE;
	state->flip = 0x1000;
	state->target = GUEST_TOUCHED(vcpu - vcpu->vm->vcpus);
	if (kind != GUEST_LGDT && kind != GUEST_LIDT)
		return;
	memcpy((void *)state->area, &limit, sizeof(limit));
	memcpy((void *)(state->area + sizeof(limit)), &base, sizeof(base));
}

bool vmm_kind_possible(uint64_t kind)
{
	unsigned int a, b, c = 0, d;

	/* KVM gives XSAVE to a guest when the host's kernel uses it. */
	__get_cpuid(1, &a, &b, &c, &d);
	return kind != GUEST_XSETBV || c & bit_OSXSAVE;
}

void vmm_vcpu_load_long(struct vmm_vcpu *vcpu, uint64_t kind)
{
	uint64_t state = GUEST_STATE + PAGE * (vcpu - vcpu->vm->vcpus);
	struct kvm_regs regs = {
		.rip = GUEST_EVENTS, .rflags = 0x202,
		.rbp = state, .rsp = state + PAGE,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = 16, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	if (vcpu == vcpu->vm->vcpus)
		events_fill(vmm_host(vcpu->vm, 0));
	set_cpuid(vcpu);
	fill_state(vcpu, kind);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cs = data;
	sregs.cs.selector = 8;
	sregs.cs.type = 11;
	sregs.cs.db = 0;
	sregs.cs.l = 1;
	sregs.gdt.base = GUEST_GDT;
	sregs.gdt.limit = GDT_LIMIT;
	sregs.idt.base = GUEST_IDT;
	sregs.idt.limit = IDT_LIMIT;
	sregs.cr0 = 0x80000033;
	sregs.cr3 = table(PML4);
	/* SSE, and MCE, which AMD's KVM shows the guest when the host has it. */
	sregs.cr4 = 0x260;
	if (vmm_kind_possible(GUEST_XSETBV))
		sregs.cr4 |= CR4_OSXSAVE;
	sregs.efer = 0x500;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

static void set_apic(struct kvm_lapic_state *apic, int reg, uint32_t value)
{
	memcpy(apic->regs + reg, &value, sizeof(value));
}

/* KVM's APIC counts nanoseconds. */
void vmm_vcpu_start_timer(struct vmm_vcpu *vcpu)
{
	struct kvm_lapic_state apic;

	must(ioctl(vcpu->fd, KVM_GET_LAPIC, &apic));
	set_apic(&apic, APIC_SPIV, 0x1ff);
	set_apic(&apic, APIC_TDCR, 0xb);
	set_apic(&apic, APIC_LVTT, 1 << 17 | VECTOR_TIMER);
	set_apic(&apic, APIC_TMICT, 1000000);
	set_apic(&apic, APIC_TMCCT, 1000000);
	must(ioctl(vcpu->fd, KVM_SET_LAPIC, &apic));
}

void vmm_vcpu_allow(struct vmm_vcpu *vcpu, uint64_t count)
{
	vmm_state(vcpu)->limit += count;
}

void vmm_wait_executions(struct vmm_vcpu *vcpu, uint64_t count)
{
	volatile struct guest_state *state = vmm_state(vcpu);

	wait_for(state->executions >= count || vcpu->exited || vcpu->error ||
		 vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exit_reason);
	expect(0, state->wrong);
	expect(0, state->faults);
	expect(count, state->executions);
	expect(count, state->attempts);
}
