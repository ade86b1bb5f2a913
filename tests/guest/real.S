/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Does one kind of write to a control register in real mode, as often as the
 * VMM says, while the timer's channel 0 interrupts it 1000 times a second
 * through the interrupt controller. Counts both.
 */
#include "guest.h"

#define AT(name) .globl guest_real_##name; guest_real_##name:
#define STATE(field) GUEST_REAL + GUEST_REAL_##field

GUEST_BEGIN(real)
	/* Vectors from 0x20 on, of which only the timer's is let through. */
	movb	$0x11, %al
	outb	%al, $0x20
	movb	$GUEST_REAL_VECTOR, %al
	outb	%al, $0x21
	movb	$4, %al
	outb	%al, $0x21
	movb	$1, %al
	outb	%al, $0x21
	movb	$0xfe, %al
	outb	%al, $0x21
	/* A tick each 1193 of 1193182 Hz. */
	movb	$0x34, %al
	outb	%al, $0x43
	movb	$0xa9, %al
	outb	%al, $0x40
	movb	$4, %al
	outb	%al, $0x40
	sti

1:	pause
	movl	STATE(ATTEMPTS), %eax
	cmpl	STATE(LIMIT), %eax
	jae	1b
	incl	STATE(ATTEMPTS)
	xorl	%esi, %esi
	movl	STATE(KIND), %ebx
	cmpl	$GUEST_REAL_LMSW, %ebx
	je	lmsw
	cmpl	$GUEST_REAL_CR0, %ebx
	je	cr0
	cmpl	$GUEST_REAL_CR3, %ebx
	je	cr3
	cmpl	$GUEST_REAL_CR4, %ebx
	je	cr4
	/* No more ticks. */
	movb	$0xff, %al
	outb	%al, $0x21
2:	movl	%eax, STATE(RESULT)
	addl	%esi, STATE(MARKS)
	incl	STATE(EXECUTIONS)
	jmp	1b

/* Monitoring of the coprocessor, on and off. */
lmsw:	movl	%cr0, %eax
	xorl	$2, %eax
	movl	%eax, STATE(WANTED)
AT(lmsw)
	lmsw	%ax
	movl	%cr0, %eax
	jmp	2b

/* Write protection, on and off. */
cr0:	movl	%cr0, %eax
	xorl	$0x10000, %eax
	movl	%eax, STATE(WANTED)
AT(cr0)	movl	%eax, %cr0
	movl	%cr0, %eax
	jmp	2b

/* There is no paging that it could matter to. */
cr3:	movl	%cr3, %eax
	xorl	$0x1000, %eax
	movl	%eax, STATE(WANTED)
AT(cr3)	movl	%eax, %cr3
	movl	%cr3, %eax
	jmp	2b

/* Global pages, on and off. */
cr4:	movl	%cr4, %eax
	xorl	$0x80, %eax
	movl	%eax, STATE(WANTED)
AT(cr4)	movl	%eax, %cr4
	movl	%cr4, %eax
	jmp	2b

AT(on_timer)
	incl	STATE(TICKS)
	pushw	%ax
	movb	$0x20, %al
	outb	%al, $0x20
	popw	%ax
	incl	STATE(TICKS_DONE)
	iretw

AT(on_other)
	incl	STATE(WRONG)
	iretw
GUEST_END(real)
