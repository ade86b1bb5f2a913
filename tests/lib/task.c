// SPDX-License-Identifier: GPL-2.0-only
/*
 * The task guest: page directories, descriptors, task state segments.
 */
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "task.h"
#include "test.h"

#define PAGE		4096u
/* Pages from GUEST_TABLES on. */
enum { DIRECTORIES, GDT = TASK_DIRECTORIES, IDT, FIRST, SECOND, STACK };

#define CODE		8
#define DATA		16
#define EFLAGS_NT	0x4000
#define CR0_TS		8

/* As the processor knows it. */
struct tss {
	uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2;
	struct task_regs regs;
	uint32_t es, cs, ss, ds, fs, gs, ldt, iomap;
};

static uint32_t table(int page)
{
	return GUEST_TABLES + page * PAGE;
}

static uint32_t label(const uint8_t *at)
{
	return guest_task.gpa + (at - guest_task.code);
}

uint32_t task_directory(int i)
{
	return table(DIRECTORIES + i);
}

volatile struct guest_task_state *task_state(struct vmm_vcpu *vcpu)
{
	return vmm_host(vcpu->vm, GUEST_STATE);
}

static uint64_t tss_descriptor(int page, bool busy)
{
	uint64_t base = table(page);

	return (sizeof(struct tss) - 1) | base << 16 |
	       (busy ? 0x8bull : 0x89ull) << 40;
}

static uint64_t task_gate(void)
{
	return GUEST_TASK_SECOND << 16 | 0x85ull << 40;
}

static void fill_tables(struct vmm *vm)
{
	uint64_t other = label(guest_task_other);
	uint64_t *gdt = vmm_host(vm, table(GDT));
	uint64_t *idt = vmm_host(vm, table(IDT));
	int i;

	for (i = 0; i < TASK_DIRECTORIES; i++)
		*(uint32_t *)vmm_host(vm, task_directory(i)) = 0x83;
	gdt[CODE / 8] = 0x00cf9b000000ffff;
	gdt[DATA / 8] = 0x00cf93000000ffff;
	gdt[GUEST_TASK_FIRST / 8] = tss_descriptor(FIRST, true);
	gdt[GUEST_TASK_SECOND / 8] = tss_descriptor(SECOND, false);
	gdt[GUEST_TASK_GATED / 8] = task_gate();
	for (i = 0; i < 256; i++)
		idt[i] = other | CODE << 16 | 0x8eull << 40;
	idt[GUEST_TASK_VECTOR] = task_gate();
}

static void fill_tss(struct vmm *vm, int page, const struct task_regs *regs)
{
	struct tss *tss = vmm_host(vm, table(page));

	memset(tss, 0, sizeof(*tss));
	tss->regs = *regs;
	tss->cs = CODE;
	tss->ss = tss->ds = tss->es = tss->fs = tss->gs = DATA;
	tss->iomap = sizeof(*tss) << 16;
}

static void set_sregs(struct vmm_vcpu *vcpu)
{
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = DATA, .type = 3, .present = 1,
		.db = 1, .s = 1, .g = 1,
	};
	struct kvm_sregs sregs;

	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cs = data;
	sregs.cs.selector = CODE;
	sregs.cs.type = 11;
	sregs.tr.base = table(FIRST);
	sregs.tr.limit = sizeof(struct tss) - 1;
	sregs.tr.selector = GUEST_TASK_FIRST;
	sregs.tr.type = 11;
	sregs.gdt.base = table(GDT);
	sregs.gdt.limit = PAGE - 1;
	sregs.idt.base = table(IDT);
	sregs.idt.limit = 256 * 8 - 1;
	sregs.cr0 = 0x80000033;
	sregs.cr3 = task_directory(0);
	sregs.cr4 = 0x10;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

void task_load(struct vmm_vcpu *vcpu, uint32_t kind)
{
	struct kvm_regs regs = {
		.rip = guest_task.gpa, .rflags = 0x202, .rsp = table(STACK),
	};
	struct task_regs first = { .cr3 = task_directory(0) };
	struct vmm *vm = vcpu->vm;

	memcpy(vmm_host(vm, guest_task.gpa), guest_task.code,
	       guest_task.end - guest_task.code);
	fill_tables(vm);
	fill_tss(vm, FIRST, &first);
	task_state(vcpu)->kind = kind;
	set_sregs(vcpu);
	must(ioctl(vcpu->fd, KVM_SET_REGS, &regs));
}

void task_prepare(struct vmm_vcpu *vcpu, uint32_t n, struct task_regs *regs)
{
	*regs = (struct task_regs){
		.cr3 = task_directory(1),
		.eip = label(guest_task_second),
		/* With the carry flag in every other round. */
		.eflags = 0x202 | (n & 1),
		.eax = 0xa0000 + n, .ecx = 0xc0000 + n, .edx = 0xd0000 + n,
		.ebx = 0xb0000 + n, .ebp = 0xbb000 + n, .esi = 0x51000 + n,
		.edi = 0xd1000 + n,
		.esp = table(STACK + 1) + PAGE - 4 * n % 256,
	};
	fill_tss(vcpu->vm, SECOND, regs);
}

void task_allow(struct vmm_vcpu *vcpu)
{
	task_state(vcpu)->limit++;
}

void task_expect_loaded(struct vmm_vcpu *vcpu, const struct task_regs *regs)
{
	volatile struct guest_task_state *state = task_state(vcpu);
	uint32_t nested = state->kind == GUEST_TASK_JMP ? 0 : EFLAGS_NT;

	expect(regs->eax, state->eax);
	expect(regs->ecx, state->ecx);
	expect(regs->edx, state->edx);
	expect(regs->ebx, state->ebx);
	expect(regs->esp, state->esp);
	expect(regs->ebp, state->ebp);
	expect(regs->esi, state->esi);
	expect(regs->edi, state->edi);
	expect(regs->eflags | nested, state->eflags);
	expect(GUEST_TASK_SECOND, state->tr);
	expect(CR0_TS, state->cr0 & CR0_TS);
}
