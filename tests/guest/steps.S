/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A round of instructions that show, save, load or lose the flags, for a vCPU
 * that is stepped; as many rounds as the VMM says. S puts down an instruction
 * and where it is: the list is the order in which they are executed, which is
 * that of this file. What lies elsewhere is between ELSEWHERE and BACK.
 *
 * 64-bit mode. rbp: its struct guest_steps_state; r12: what it finds goes there.
 */
#include "guest.h"

#define AT(name) .globl guest_steps_##name; guest_steps_##name:
#define ELSEWHERE .subsection 1
#define BACK .subsection 0

	.macro	S insn:vararg
77:	\insn
	.pushsection .rodata.guest_steps_order, "a"
	.long	77b - guest_steps_code
	.popsection
	.endm

/* One instruction that takes more steps. */
	.macro	SN count, insn:vararg
77:	\insn
	.pushsection .rodata.guest_steps_order, "a"
	.rept	\count
	.long	77b - guest_steps_code
	.endr
	.popsection
	.endm

/* Keeps a register. */
	.macro	KEEP reg
	S	movq	\reg, (%r12)
	S	addq	$8, %r12
	.endm

/* The handler of #DB, whose instructions have the sizes that are said below. */
	.macro	DEBUG
	S	movq	16(%rsp), %rax
	KEEP	%rax
	S	movq	%dr6, %rax
	KEEP	%rax
	S	andl	$~0x100, 16(%rsp)
	S	iretq
	.endm

	.pushsection .rodata.guest_steps_order, "a"
	.balign	4
	.globl	guest_steps_order
guest_steps_order:
	.popsection

GUEST_BEGIN(steps)
	.code64
round:
/* The flags themselves. */
	S	pushfq
	S	popq	%rax
	KEEP	%rax
	S	stc
	S	pushfq
	S	xorl	$0x800, (%rsp)
	S	popfq
	S	pushfq
	S	popq	%rax
	KEEP	%rax
	S	pushw	$0x247
	S	popfw
	S	lahf
	KEEP	%rax
	S	sti
	S	nop
	S	cli
	S	sti
	S	pushfq
	S	popq	%rax
	KEEP	%rax

/* What holds a trap back. */
	S	movl	%ss, %eax
	S	movl	%eax, %ss
	S	incl	%ecx
	S	movw	%ax, %ss
	S	pushfq
	S	popq	%rax
	KEEP	%rax

/* Ordinary work. */
	S	leaq	GUEST_STEPS_SOURCE(%rbp), %rsi
	S	leaq	GUEST_STEPS_COPY(%rbp), %rdi
	S	movl	$5, %ecx
	SN	5, rep movsb
	SN	1, rep movsb
	S	xorl	%eax, %eax
	S	movl	$3, %ecx
	S	leaq	GUEST_STEPS_COPY(%rbp), %rdi
	SN	3, repne scasb
	S	call	called
ELSEWHERE
called:	S	pushq	%rbx
	S	popq	%rbx
	S	ret
BACK
	S	lock incq GUEST_STEPS_COPY(%rbp)
	S	movl	$2, %ecx
1:	nop
	.pushsection .rodata.guest_steps_order, "a"
	.long	1b - guest_steps_code, 2f - guest_steps_code
	.long	1b - guest_steps_code, 2f - guest_steps_code
	.popsection
2:	loop	1b
	S	fld1
	S	fstpl	GUEST_STEPS_COPY + 8(%rbp)
/* The vendor: other leaves tell on which CPU the VMM has asked for them. */
	S	xorl	%eax, %eax
	S	cpuid
	S	movl	$0xc0000102, %ecx
	S	rdmsr
	S	incl	%eax
	S	wrmsr
	S	movq	%cr0, %rax
	S	movq	%rax, %cr0
	S	movq	%dr6, %rax
	KEEP	%rax
	S	movb	$7, %al
	S	outl	%eax, $GUEST_PORT_REPORT

/* Exceptions and interrupts, and the way back from each. */
	S	int3
ELSEWHERE
AT(on_int3)
	S	movq	16(%rsp), %rax
	KEEP	%rax
	S	iretq
BACK
	S	int	$GUEST_STEPS_VECTOR
ELSEWHERE
AT(on_int)
	S	pushfq
	S	popq	%rax
	KEEP	%rax
	S	movq	16(%rsp), %rax
	KEEP	%rax
	S	iretq
BACK
	S	.byte 0xf1
ELSEWHERE
AT(on_debug)
	DEBUG
BACK
	S	ud2
ELSEWHERE
AT(on_undefined)
	S	addq	$2, (%rsp)
	S	movq	16(%rsp), %rax
	KEEP	%rax
	S	iretq
BACK
	S	movq	$-8, %rax
	S	movb	%al, (%rax)
ELSEWHERE
AT(on_page_fault)
	S	addq	$8, %rsp
	S	addq	$2, (%rsp)
	S	movq	%cr2, %rax
	KEEP	%rax
	S	movq	16(%rsp), %rax
	KEEP	%rax
	S	iretq
BACK
	S	xorl	%ecx, %ecx
	S	xorl	%edx, %edx
	S	divl	%ecx
ELSEWHERE
AT(on_divide)
	S	addq	$2, (%rsp)
	S	iretq
BACK
/*
 * A trap flag of the guest's own: told after NOP, and then its trap, which is a
 * step by itself.
 */
	S	pushfq
	S	orl	$0x100, (%rsp)
	S	popfq
	S	nop
	.pushsection .rodata.guest_steps_order, "a"
	.long	3f - guest_steps_code
	.set	at, guest_steps_on_debug - guest_steps_code
	.irp	size, 0, 5, 4, 4, 3, 4, 4, 8
	.set	at, at + \size
	.long	at
	.endr
	.popsection
3:
/* To user mode and back. */
	S	leaq	user(%rip), %rcx
	S	movl	$0x246, %r11d
	S	sysretq
ELSEWHERE
user:	S	pushfq
	S	popq	%rax
	KEEP	%rax
	S	syscall
BACK
AT(on_syscall)
	KEEP	%rcx
	KEEP	%r11
	S	pushfq
	S	popq	%rax
	KEEP	%rax
	S	swapgs
	S	decq	GUEST_STEPS_ROUNDS(%rbp)
	S	leaq	GUEST_STEPS_FOUND(%rbp), %r12
	S	jnz	round
	.pushsection .rodata.guest_steps_order, "a"
	.globl	guest_steps_order_end
guest_steps_order_end:
	.popsection
	outl	%eax, $GUEST_PORT_EXIT
	.subsection 2
GUEST_END(steps)
