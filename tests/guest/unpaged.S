/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected mode without paging: writes CR3 there, which must not matter before
 * paging is on; turns it on to see what CR3 leads to, and off again; as often
 * as the VMM says.
 */
#include "guest.h"

#define AT(name) .globl guest_unpaged_##name; guest_unpaged_##name:
#define STATE(field) GUEST_STATE + GUEST_UNPAGED_##field

GUEST_BEGIN(unpaged)
	.code32
1:	pause
	movl	STATE(ATTEMPTS), %eax
	cmpl	STATE(LIMIT), %eax
	jae	1b
	incl	STATE(ATTEMPTS)
	movl	%cr3, %eax
	xorl	$0x1000, %eax
	movl	%eax, STATE(WANTED)
AT(cr3)	movl	%eax, %cr3
	movl	%cr3, %eax
	movl	%eax, STATE(RESULT)
	movl	%cr0, %eax
	orl	$0x80000000, %eax
AT(on)	movl	%eax, %cr0
	movl	GUEST_UNPAGED_SEEN, %ebx
	movl	%ebx, STATE(FOUND)
	movl	%cr3, %eax
	movl	%eax, STATE(PAGED)
	movl	%cr0, %eax
	andl	$0x7fffffff, %eax
AT(off)	movl	%eax, %cr0
	incl	STATE(EXECUTIONS)
	jmp	1b
GUEST_END(unpaged)
