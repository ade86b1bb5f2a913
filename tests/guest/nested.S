/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enters its own guest with VMRUN, over and over, and counts how that ended.
 * Begins in flat protected mode with EFER.SVME on, eax: the gpa of the VMCB,
 * ebx: that of the area for the host's state, ecx: the MSR that takes it.
 */
#include "guest.h"

#define VMCB_EXIT_CODE	0x70
#define VMCB_RIP	0x578
#define EXIT_VMMCALL	0x81
#define EXIT_INVALID	-1

GUEST_BEGIN(nested)
	.code32
	movl	%eax, %esi
	movl	%ebx, %eax
	xorl	%edx, %edx
	wrmsr
1:	movl	GUEST_ENTRIES_PAUSE, %ecx
4:	loop	4b
	movl	$GUEST_NESTED_INNER, VMCB_RIP(%esi)
	movl	$0, VMCB_EXIT_CODE(%esi)
	movl	%esi, %eax
	vmrun
	stgi
	cmpl	$EXIT_VMMCALL, VMCB_EXIT_CODE(%esi)
	je	2f
	cmpl	$EXIT_INVALID, VMCB_EXIT_CODE(%esi)
	je	3f
	outl	%eax, $GUEST_PORT_EXIT
2:	incl	GUEST_ENTRIES
	jmp	1b
3:	incl	GUEST_ENTRIES_FAILED
	jmp	1b
GUEST_END(nested)

/* That guest, in real mode: stays as long as the trigger is not 0. */
GUEST_BEGIN(nested_inner)
	.code16
1:	incl	%ds:GUEST_COUNTERS
	cmpl	$0, %ds:GUEST_TRIGGER
	jne	1b
	vmmcall
GUEST_END(nested_inner)
