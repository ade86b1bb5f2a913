/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waits until the trigger changes, copies the source page to the target page,
 * reports the trigger, and begins anew. Counts rounds like the busy guest.
 */
#include "guest.h"

GUEST_BEGIN(copy)
	movw	%di, %bx
	shlw	$2, %bx
	xorl	%edx, %edx
1:	incl	%ds:GUEST_COUNTERS(%bx)
	movl	%ds:GUEST_TRIGGER, %eax
	cmpl	%eax, %edx
	je	1b
	movl	%eax, %edx
	movw	$GUEST_SOURCE, %si
	movw	$GUEST_TARGET, %di
	movw	$1024, %cx
	cld
	rep movsl
	outl	%eax, $GUEST_PORT_REPORT
	jmp	1b
GUEST_END(copy)
