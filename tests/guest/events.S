/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does one kind of instruction that a tool can watch, as often as the VMM
 * says, and counts; so do its handlers of INT3 and of the timer. Runs in 64-bit
 * mode, rbp: its struct guest_state.
 */
#include "guest.h"

/* Room for a prefix that the VMM may put in. */
#define EMULATE .fill GUEST_PREFIX, 1, 0x90
#define AT(name) .globl guest_events_##name; guest_events_##name:

GUEST_BEGIN(events)
	.code64
1:	pause
	movq	GUEST_ATTEMPTS(%rbp), %rax
	cmpq	GUEST_LIMIT(%rbp), %rax
	jae	1b
	incq	GUEST_ATTEMPTS(%rbp)
	xorl	%r15d, %r15d
	movq	GUEST_KIND(%rbp), %rbx
	cmpq	$GUEST_CR0, %rbx
	je	cr0
	cmpq	$GUEST_CR3, %rbx
	je	cr3
	cmpq	$GUEST_CR4, %rbx
	je	cr4
	cmpq	$GUEST_INT3, %rbx
	je	int3
	cmpq	$GUEST_HYPERCALL, %rbx
	je	hypercall
	cmpq	$GUEST_HLT, %rbx
	je	hlt
	cmpq	$GUEST_NOP, %rbx
	je	nop
	cmpq	$GUEST_TRAP, %rbx
	je	trap
	cmpq	$GUEST_OTHER_CALL, %rbx
	je	other_call
	cmpq	$GUEST_XMM, %rbx
	je	xmm
	cmpq	$GUEST_PAGE, %rbx
	je	page
	cmpq	$GUEST_MSR, %rbx
	je	msr
	cmpq	$GUEST_XSETBV, %rbx
	je	xsetbv
	cmpq	$GUEST_SIDT, %rbx
	je	sidt
	cmpq	$GUEST_SGDT, %rbx
	je	sgdt
	cmpq	$GUEST_SLDT, %rbx
	je	sldt
	cmpq	$GUEST_STR, %rbx
	je	str
	cmpq	$GUEST_LIDT, %rbx
	je	lidt
	cmpq	$GUEST_LGDT, %rbx
	je	lgdt
	cmpq	$GUEST_LLDT, %rbx
	je	lldt
	cmpq	$GUEST_LTR, %rbx
	je	ltr
	incq	GUEST_WRONG(%rbp)
resume:
2:	movq	%rax, GUEST_RESULT(%rbp)
	addq	%r15, GUEST_MARKS(%rbp)
	incq	GUEST_EXECUTIONS(%rbp)
	jmp	1b

/* Write protection of the kernel's own writes, on and off. */
cr0:	movq	%cr0, %rax
	xorq	$0x10000, %rax
	movq	%rax, GUEST_WANTED(%rbp)
	EMULATE
AT(cr0)	movq	%rax, %cr0
	movq	%cr0, %rax
	jmp	2b

/* Two tables that are alike, in adjacent pages. */
cr3:	movq	%cr3, %rax
	xorq	$0x1000, %rax
	movq	%rax, GUEST_WANTED(%rbp)
	EMULATE
AT(cr3)	movq	%rax, %cr3
	movq	%cr3, %rax
	jmp	2b

/* Global pages, on and off. */
cr4:	movq	%cr4, %rax
	xorq	$0x80, %rax
	movq	%rax, GUEST_WANTED(%rbp)
	EMULATE
AT(cr4)	movq	%rax, %cr4
	movq	%cr4, %rax
	jmp	2b

int3:
AT(int3)
	int3
	jmp	2b

/* The VMM makes a VMCALL of it where the CPU wants one. */
hypercall:
	movl	$34, %eax
	movl	$24, %edi
	EMULATE
AT(hypercall)
	vmmcall
	jmp	2b

hlt:
AT(hlt)	hlt
	jmp	2b

nop:
AT(nop)	nop
	jmp	2b

/*
 * At this instruction, until an exception comes from nowhere. It is the task
 * priority that keeps the timer out, and not CLI: Bochs never leaves a guest
 * that it entered with interrupts off for those of its host.
 */
trap:	movq	%rax, GUEST_WANTED(%rbp)
	movl	$15, %ecx
	movq	%rcx, %cr8
AT(trap)
	jmp	guest_events_trap
	xorl	%ecx, %ecx
	movq	%rcx, %cr8
	jmp	2b

/* The VMM makes a VMMCALL of it where the CPU wants a VMCALL. */
other_call:
	movq	GUEST_CALL(%rbp), %rax
	movl	$24, %edi
AT(other_call)
	vmcall
	jmp	2b

/* Into the state what is in the register, then a watched instruction. */
xmm:	movq	%cr3, %rax
	xorq	$0x1000, %rax
	movq	%rax, GUEST_WANTED(%rbp)
AT(xmm)	movq	%rax, %cr3
	movdqu	%xmm3, GUEST_SAVED(%rbp)
	movdqu	GUEST_LOADED(%rbp), %xmm5
	movq	%cr3, %rax
	jmp	2b

/* With operands that the test says, and maybe code. */
page:	movq	GUEST_TARGET_GVA(%rbp), %rdi
	movq	GUEST_SOURCE_GVA(%rbp), %rsi
	movq	GUEST_COUNT(%rbp), %rcx
	movq	GUEST_VALUE(%rbp), %rax
	movq	%rax, GUEST_WANTED(%rbp)
AT(page)
	movq	%rax, (%rdi)
	.fill	GUEST_PAGE_CODE - 3, 1, 0x90
	jmp	2b

/* The one that the VMM says, with some bits changed. */
msr:	movl	GUEST_MSR_INDEX(%rbp), %ecx
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	xorq	GUEST_MSR_FLIP(%rbp), %rax
	movq	%rax, GUEST_WANTED(%rbp)
	movq	%rax, %rdx
	shrq	$32, %rdx
	EMULATE
AT(msr)	wrmsr
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	jmp	2b

/* Registers of SSE, on and off. */
xsetbv:	xorl	%ecx, %ecx
	xgetbv
	xorl	$2, %eax
	movq	%rax, GUEST_WANTED(%rbp)
	EMULATE
AT(xsetbv)
	xsetbv
	xgetbv
	jmp	2b

/* What it loads is what it has. */
sidt:
	EMULATE
AT(sidt)
	sidt	GUEST_DESC_AREA(%rbp)
	jmp	3f
sgdt:
	EMULATE
AT(sgdt)
	sgdt	GUEST_DESC_AREA(%rbp)
	jmp	3f
sldt:
	EMULATE
AT(sldt)
	sldt	GUEST_DESC_AREA(%rbp)
	jmp	3f
str:
	EMULATE
AT(str)	str	GUEST_DESC_AREA(%rbp)
	jmp	3f
lidt:
	EMULATE
AT(lidt)
	lidt	GUEST_DESC_AREA(%rbp)
	jmp	3f
lgdt:
	EMULATE
AT(lgdt)
	lgdt	GUEST_DESC_AREA(%rbp)
	jmp	3f
lldt:	movl	$GUEST_SELECTOR_LDT, %eax
	EMULATE
AT(lldt)
	lldt	%ax
	jmp	3f
/* A task can only be loaded when it is not busy. */
ltr:	movl	%ebp, %eax
	subl	$GUEST_STATE, %eax
	shrl	$8, %eax
	addl	$GUEST_SELECTOR_TSS, %eax
	andb	$0xfd, GUEST_GDT + 5(%rax)
	EMULATE
AT(ltr)	ltr	%ax
3:	xorl	%eax, %eax
	movq	%rax, GUEST_WANTED(%rbp)
	jmp	2b

AT(on_int3)
	incq	GUEST_TRAPS(%rbp)
	iretq

/* #UD, out of the loop where it is waited for. */
AT(on_ud)
	pushq	%rax
	leaq	guest_events_trap(%rip), %rax
	cmpq	%rax, 8(%rsp)
	popq	%rax
	jne	guest_events_on_other
	incq	GUEST_TRAPS(%rbp)
	addq	$2, (%rsp)
	iretq

/* Every vCPU's local APIC is at its usual place. */
AT(on_timer)
	incq	GUEST_TICKS(%rbp)
	pushq	%rax
	movl	$0xfee000b0, %eax
	movl	$0, (%rax)
	popq	%rax
	incq	GUEST_TICKS_DONE(%rbp)
	iretq

/* The instruction that faults counts as executed. */
AT(on_gp)
	incq	GUEST_FAULTS(%rbp)
	leaq	resume(%rip), %rbx
	addq	$8, %rsp
	movq	%rbx, (%rsp)
	iretq

AT(on_other)
	incq	GUEST_WRONG(%rbp)
	outl	%eax, $GUEST_PORT_EXIT
1:	jmp	1b
GUEST_END(events)
