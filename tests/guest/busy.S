/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts rounds in the counter of its vCPU, for ever.
 */
#include "guest.h"

GUEST_BEGIN(busy)
	movw	%di, %bx
	shlw	$2, %bx
1:	incl	%ds:GUEST_COUNTERS(%bx)
	jmp	1b
GUEST_END(busy)
