/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enters its own guest with VMLAUNCH, over and over, and counts how that ended.
 * Begins in flat protected mode with CR4.VMXE on, eax: the gpa of VMXON's
 * region, ebx: that of the VMCS, esi: of a list of fields and values.
 */
#include "guest.h"

#define INSTRUCTION_ERROR	0x4400
#define EXIT_REASON		0x4402
#define GUEST_RIP		0x681e
#define EXIT_VMCALL		18
#define BAD_CONTROLS		7

GUEST_BEGIN(nested_vmx)
	.code32
	pushl	$0
	pushl	%eax
	vmxon	(%esp)
	jbe	bad
	movl	%ebx, (%esp)
	vmclear	(%esp)
	jbe	bad
	vmptrld	(%esp)
	jbe	bad
field:	movl	(%esi), %eax
	cmpl	$-1, %eax
	je	launch
	movl	4(%esi), %ecx
	vmwrite	%ecx, %eax
	jbe	bad
	addl	$8, %esi
	jmp	field

	/* VMCLEAR, or the next entry would have to be a VMRESUME. */
launch:	movl	GUEST_ENTRIES_PAUSE, %ecx
1:	loop	1b
	vmclear	(%esp)
	vmptrld	(%esp)
	movl	$GUEST_NESTED_INNER, %ecx
	movl	$GUEST_RIP, %eax
	vmwrite	%ecx, %eax
	jbe	bad
	movl	%esp, %ebp
	vmlaunch
	jnz	bad
	movl	$INSTRUCTION_ERROR, %eax
	vmread	%eax, %ecx
	cmpl	$BAD_CONTROLS, %ecx
	jne	bad
	incl	GUEST_ENTRIES_FAILED
	jmp	launch

	.globl guest_nested_vmx_exit
guest_nested_vmx_exit:
	movl	%ebp, %esp
	movl	$EXIT_REASON, %eax
	vmread	%eax, %ecx
	cmpl	$EXIT_VMCALL, %ecx
	jne	bad
	incl	GUEST_ENTRIES
	jmp	launch
bad:	outl	%eax, $GUEST_PORT_EXIT
GUEST_END(nested_vmx)

/* That guest, with the host's pages: stays as long as the trigger is not 0. */
GUEST_BEGIN(nested_vmx_inner)
	.code32
1:	incl	GUEST_COUNTERS
	cmpl	$0, GUEST_TRIGGER
	jne	1b
	vmcall
GUEST_END(nested_vmx_inner)
