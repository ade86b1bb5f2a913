/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two tasks of 32-bit protected mode: the first switches to the second as
 * often and in the way that the VMM says. The second stores what it finds and
 * goes back. What its task state segment holds is the VMM's.
 */
#include "guest.h"

#define AT(name) .globl guest_task_##name; guest_task_##name:
#define STATE(field) GUEST_STATE + GUEST_TASK_##field

GUEST_BEGIN(task)
	.code32
1:	pause
	movl	STATE(ATTEMPTS), %eax
	cmpl	STATE(LIMIT), %eax
	jae	1b
	incl	STATE(ATTEMPTS)
	movl	STATE(KIND), %ebx
	cmpl	$GUEST_TASK_JMP, %ebx
	je	jump
	cmpl	$GUEST_TASK_CALL, %ebx
	je	call
	cmpl	$GUEST_TASK_GATE, %ebx
	je	gate
	int	$GUEST_TASK_VECTOR
	jmp	2f
call:	lcall	$GUEST_TASK_SECOND, $0
	jmp	2f
gate:	lcall	$GUEST_TASK_GATED, $0
	jmp	2f
jump:	ljmp	$GUEST_TASK_SECOND, $0
2:	movl	%cr3, %eax
	movl	%eax, STATE(CR3_BACK)
	incl	STATE(EXECUTIONS)
	jmp	1b

/* Each switch to it begins here. */
AT(second)
	movl	%esp, STATE(ESP)
	movl	$(STATE(ESP)), %esp
	pushal
	movl	STATE(ESP), %esp
	pushfl
	popl	%eax
	movl	%eax, STATE(EFLAGS)
	movl	%cr3, %eax
	movl	%eax, STATE(CR3)
	movl	%cr0, %eax
	movl	%eax, STATE(CR0)
	str	%ax
	movzwl	%ax, %eax
	movl	%eax, STATE(TR)
	incl	STATE(ARRIVALS)
	cmpl	$GUEST_TASK_JMP, STATE(KIND)
	jne	3f
	ljmp	$GUEST_TASK_FIRST, $0
3:	iretl

AT(other)
	outl	%eax, $GUEST_PORT_EXIT
GUEST_END(task)
