/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers of the first 32 vectors, 16 bytes each, that note in the events
 * guest's state what they get, count it then, and return.
 */
#include "guest.h"

	.macro	STUB vector
	.balign	16
	.if	(0x27d00 >> \vector) & 1 == 0
	pushq	$0
	.endif
	pushq	$\vector
	jmp	caught
	.endm

GUEST_BEGIN(caught)
	.code64
	.irp	vector, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, \
		16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	STUB	\vector
	.endr

/* On the stack: rax, rbx, vector, error code, rip. */
caught:	pushq	%rbx
	pushq	%rax
	movq	16(%rsp), %rbx
	movq	24(%rsp), %rax
	movq	%rax, GUEST_CAUGHT_ERROR(%rbp, %rbx, 8)
	movq	%cr2, %rax
	movq	%rax, GUEST_CAUGHT_CR2(%rbp, %rbx, 8)
	movq	32(%rsp), %rax
	movq	%rax, GUEST_CAUGHT_RIP(%rbp, %rbx, 8)
	incq	GUEST_CAUGHT(%rbp, %rbx, 8)
	popq	%rax
	popq	%rbx
	addq	$16, %rsp
	iretq
GUEST_END(caught)
