/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enters its own guest with VMRUN; that guest loops for ever. Begins in flat
 * protected mode with EFER.SVME on, eax: the gpa of the VMCB, ebx: that of the
 * area for the host's state, ecx: the MSR that takes it.
 */
#include "guest.h"

GUEST_BEGIN(nested)
	.code32
	movl	%eax, %esi
	movl	%ebx, %eax
	xorl	%edx, %edx
	wrmsr
	movl	%esi, %eax
	vmrun
	outl	%eax, $GUEST_PORT_EXIT
GUEST_END(nested)
