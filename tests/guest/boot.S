/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings a PC with two vCPUs to the events guest: a multiboot kernel of one
 * page at GUEST_BOOT. The first vCPU waits until the test has put code and
 * tables in memory; then each gets its timer, and does what its state says.
 */
#include "guest.h"

#define HERE(label)	(GUEST_BOOT + (label) - guest_boot_code)
#define APIC		0xfee00000
#define HEADER_FLAGS	0x10000		/* the addresses are in the header */

GUEST_BEGIN(boot)
	jmp	other			/* where the second vCPU starts */
	.balign 4
header:	.long	0x1badb002, HEADER_FLAGS, -(0x1badb002 + HEADER_FLAGS)
	.long	HERE(header), GUEST_BOOT, HERE(guest_boot_end), 0, HERE(first)

gdtr:	.word	4 * 8 - 1
	.long	GUEST_GDT
idtr:	.word	256 * 16 - 1
	.quad	GUEST_IDT

/* Real mode, at the begin of the page. */
other:	cli
	lgdtl	%cs:gdtr - guest_boot_code
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x18, $HERE(both)

	.code32
first:	cli
	movb	$0xff, %al		/* the old interrupt controllers */
	outb	%al, $0x21
	outb	%al, $0xa1
	movl	$GUEST_HERE, GUEST_MAILBOX
1:	pause
	cmpl	$GUEST_GO, GUEST_MAILBOX
	jne	1b
	lgdtl	HERE(gdtr)

both:	movl	$0x60, %eax		/* PAE, MCE */
	movl	%eax, %cr4
	movl	$GUEST_TABLES, %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER.LME */
	rdmsr
	orl	$0x100, %eax
	wrmsr
	movl	$0x80000033, %eax
	movl	%eax, %cr0
	ljmp	$8, $HERE(long)

	.code64
long:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	lidtq	HERE(idtr)
	movl	$APIC, %ebx
	movl	0x20(%rbx), %ebp	/* its id is the index of the vCPU */
	shrl	$24, %ebp
	movl	%ebp, %edx
	shll	$12, %ebp
	addl	$GUEST_STATE, %ebp
	leaq	4096(%rbp), %rsp
	movl	$0x1ff, 0xf0(%rbx)	/* on */
	movl	$0xb, 0x3e0(%rbx)	/* KVM's counts nanoseconds: */
	movl	$0x20020, 0x320(%rbx)
	movl	$1000000, 0x380(%rbx)	/* 1000 interrupts a second */
	testl	%edx, %edx
	jnz	2f
	movl	$0xc4500, 0x300(%rbx)	/* INIT, and where to start */
	movl	$0xc4600 + GUEST_BOOT / 4096, 0x300(%rbx)
2:	movl	$GUEST_EVENTS, %eax
	sti
	jmp	*%rax
GUEST_END(boot)
