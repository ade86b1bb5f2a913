/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flat guests and what they agree on with the VMM. A guest starts in real
 * mode at its gpa with the index of its vCPU in edi, if nothing else is said. Assembler
 * includes this.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#define GUEST_CODE		0x1000	/* each guest at its own page */
#define GUEST_NESTED_INNER	0x5000
#define GUEST_COUNTERS		0x8000	/* u32 by vCPU index: rounds made */
#define GUEST_ENTRIES		0x8100	/* u32: of the nested guest */
#define GUEST_ENTRIES_FAILED	0x8104	/* u32: of which none was one */
#define GUEST_ENTRIES_PAUSE	0x8108	/* u32: rounds before each */
#define GUEST_TRIGGER		0x9000	/* u32: copy when it changes */
#define GUEST_SOURCE		0xa000	/* a page */
#define GUEST_TARGET		0xb000	/* a page */
#define GUEST_BOOT		0x10000	/* a page of code */
#define GUEST_MAILBOX		0x11000	/* u32, for GUEST_HERE and GUEST_GO */
#define GUEST_EVENTS		0x14000	/* code of the events guest */
#define GUEST_STUBS		0x16000	/* handlers that count exceptions */
#define GUEST_STATE		0x20000	/* of it, a page for each vCPU */
#define GUEST_TABLES		0x30000	/* of it, 9 pages, of these: */
#define GUEST_GDT		0x37000
#define GUEST_IDT		0x38000
#define GUEST_TOUCHED(index)	(0x50000 + 0x1000 * (index)) /* a page each */
#define GUEST_STEPS		0x60000	/* code of the steps guest */
#define GUEST_STEPS_STATE	0x62000
#define GUEST_STEPS_STACK	0x63000	/* a page */
#define GUEST_PORT_REPORT	0xe0
#define GUEST_PORT_EXIT		0xf4

/* The boot guest waits; the test has put the events guest. */
#define GUEST_HERE		0x65726568
#define GUEST_GO		0x6f67

/* Kinds of instruction of the events guest. */
#define GUEST_CR0		0
#define GUEST_CR3		3
#define GUEST_CR4		4
#define GUEST_INT3		5
#define GUEST_HYPERCALL		6
#define GUEST_HLT		7
#define GUEST_MSR		8
#define GUEST_XSETBV		9
#define GUEST_NOP		10
#define GUEST_TRAP		11	/* waits for #UD */
#define GUEST_OTHER_CALL	12	/* hypercall by the other instruction */
#define GUEST_XMM		13	/* CR3, and vector registers after it */
#define GUEST_PAGE		14	/* stores, or does what vmm_page_code() put there */
/* And the number of the table as the protocol has it, 8 more to load it. */
#define GUEST_DESCRIPTOR	16
#define GUEST_SIDT		17
#define GUEST_SGDT		18
#define GUEST_SLDT		19
#define GUEST_STR		20
#define GUEST_LIDT		25
#define GUEST_LGDT		26
#define GUEST_LLDT		27
#define GUEST_LTR		28

/* Selectors in the events guest's GDT; each vCPU has a TSS. */
#define GUEST_SELECTOR_LDT	0x20
#define GUEST_SELECTOR_TSS	0x30

/* Offsets in struct guest_state. */
#define GUEST_KIND		0x00
#define GUEST_LIMIT		0x08
#define GUEST_ATTEMPTS		0x10
#define GUEST_EXECUTIONS	0x18
#define GUEST_WANTED		0x20
#define GUEST_RESULT		0x28
#define GUEST_MARKS		0x30
#define GUEST_TRAPS		0x38
#define GUEST_TICKS		0x40
#define GUEST_TICKS_DONE	0x48
#define GUEST_WRONG		0x50
#define GUEST_MSR_INDEX		0x58
#define GUEST_MSR_FLIP		0x60
#define GUEST_FAULTS		0x68
#define GUEST_DESC_AREA		0x70
#define GUEST_CALL		0x80
#define GUEST_SAVED		0x88
#define GUEST_LOADED		0x98
#define GUEST_TARGET_GVA	0xa8
#define GUEST_SOURCE_GVA	0xb0
#define GUEST_COUNT		0xb8
#define GUEST_VALUE		0xc0
#define GUEST_CAUGHT		0x100	/* arrays by vector */
#define GUEST_CAUGHT_ERROR	0x200
#define GUEST_CAUGHT_CR2	0x300
#define GUEST_CAUGHT_RIP	0x400

/* Bytes for what the test writes; without, a store where rdi is. */
#define GUEST_PAGE_CODE		48

/* Bytes of NOP before some of the instructions. */
#define GUEST_PREFIX		5

/* Offsets in struct guest_steps_state, and what INT takes. */
#define GUEST_STEPS_ROUNDS	0x00
#define GUEST_STEPS_SOURCE	0x10
#define GUEST_STEPS_COPY	0x20
#define GUEST_STEPS_FOUND	0x40
#define GUEST_STEPS_VECTOR	0x30

/* How the task guest switches tasks, and by which selectors and vector. */
#define GUEST_TASK_JMP		0	/* to the second and, so, back */
#define GUEST_TASK_CALL		1	/* and IRET back, like those below */
#define GUEST_TASK_GATE		2	/* CALL of a task gate */
#define GUEST_TASK_INT		3	/* INT, task gate in the IDT */
#define GUEST_TASK_FIRST	0x18
#define GUEST_TASK_SECOND	0x20
#define GUEST_TASK_GATED	0x28
#define GUEST_TASK_VECTOR	0x40

/* Kinds of write of the real guest, where it counts, and its interrupts. */
#define GUEST_REAL_LMSW		1
#define GUEST_REAL_CR0		2
#define GUEST_REAL_CR3		3
#define GUEST_REAL_CR4		4
#define GUEST_REAL_QUIET	5	/* no write: the end of the ticks */
#define GUEST_REAL		0xc000
#define GUEST_REAL_STACK	0xd000
#define GUEST_REAL_VECTOR	0x20

/* Offsets in struct guest_real_state. */
#define GUEST_REAL_KIND		0x00
#define GUEST_REAL_LIMIT	0x04
#define GUEST_REAL_ATTEMPTS	0x08
#define GUEST_REAL_EXECUTIONS	0x0c
#define GUEST_REAL_WANTED	0x10
#define GUEST_REAL_RESULT	0x14
#define GUEST_REAL_MARKS	0x18
#define GUEST_REAL_TICKS	0x1c
#define GUEST_REAL_TICKS_DONE	0x20
#define GUEST_REAL_WRONG	0x24

/* An address that the unpaged guest's tables lead to pages of their own. */
#define GUEST_UNPAGED_SEEN	0x400000

/* Offsets in struct guest_unpaged_state. */
#define GUEST_UNPAGED_LIMIT	0x00
#define GUEST_UNPAGED_ATTEMPTS	0x04
#define GUEST_UNPAGED_EXECUTIONS 0x08
#define GUEST_UNPAGED_WANTED	0x0c
#define GUEST_UNPAGED_RESULT	0x10
#define GUEST_UNPAGED_FOUND	0x14
#define GUEST_UNPAGED_PAGED	0x18

/* Offsets in struct guest_task_state. */
#define GUEST_TASK_KIND		0x00
#define GUEST_TASK_LIMIT	0x04
#define GUEST_TASK_ATTEMPTS	0x08
#define GUEST_TASK_EXECUTIONS	0x0c
#define GUEST_TASK_CR3_BACK	0x10
#define GUEST_TASK_ARRIVALS	0x14
#define GUEST_TASK_EFLAGS	0x18
#define GUEST_TASK_CR3		0x1c
#define GUEST_TASK_CR0		0x20
#define GUEST_TASK_TR		0x24
#define GUEST_TASK_ESP		0x48

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What the events guest does and counts; its stack is in the same page. */
struct guest_state {
	uint64_t kind;
	uint64_t limit;		/* rests when attempts are as many */
	uint64_t attempts;	/* counted before the instruction */
	uint64_t executions;	/* counted after it */
	uint64_t wanted;	/* the value it writes */
	uint64_t result;	/* what it reads back, or rax */
	uint64_t marks;		/* sum of r15, which is 0 before */
	uint64_t traps;		/* handled INT3 */
	uint64_t ticks;		/* timer interrupts, at the handler's begin */
	uint64_t ticks_done;	/* and at its end */
	uint64_t wrong;		/* other exceptions */
	uint64_t msr;		/* which one it writes */
	uint64_t flip;		/* the bits of it that change each time */
	uint64_t faults;	/* #GP, of which it makes executions */
	uint8_t area[16];	/* for what SIDT and the like store */
	uint64_t call;		/* the number of the other hypercall */
	uint64_t saved[2];	/* from XMM3 */
	uint64_t loaded[2];	/* to XMM5, after that */
	uint64_t target;	/* in rdi */
	uint64_t source;	/* in rsi */
	uint64_t count;		/* in rcx */
	uint64_t value;		/* in rax */
	uint64_t unused[7];
	/* By the handlers of vmm_catch(), the last for each vector. */
	uint64_t caught[32];	/* how many */
	uint64_t error[32];	/* 0 for those without a code */
	uint64_t cr2[32];
	uint64_t rip[32];	/* to which they return */
};

_Static_assert(__builtin_offsetof(struct guest_state, caught) ==
	       GUEST_CAUGHT, "the guest's view of its state");

/* Of the task guest; what is not said of the first task is of the second. */
struct guest_task_state {
	uint32_t kind;
	uint32_t limit;		/* the first rests when attempts are as many */
	uint32_t attempts;	/* of the first, counted before the switch */
	uint32_t executions;	/* of the first, counted after the way back */
	uint32_t cr3_back;	/* of the first, after the way back */
	uint32_t arrivals;
	uint32_t eflags;
	uint32_t cr3;
	uint32_t cr0;
	uint32_t tr;
	/* PUSHA: its ESP is not the one before. */
	uint32_t edi, esi, ebp, pushed_esp, ebx, edx, ecx, eax;
	uint32_t esp;
};

/* Of the steps guest. */
struct guest_steps_state {
	uint64_t rounds;	/* still to make */
	uint64_t unused;
	uint8_t source[16];
	uint8_t copy[32];
	uint64_t found[64];	/* in the last round */
};

_Static_assert(__builtin_offsetof(struct guest_steps_state, found) ==
	       GUEST_STEPS_FOUND, "the steps guest's view of its state");

/* Of the real guest, each field as in struct guest_state; marks is of esi. */
struct guest_real_state {
	uint32_t kind, limit, attempts, executions, wanted, result, marks;
	uint32_t ticks, ticks_done, wrong;
};

/* Of the unpaged guest. */
struct guest_unpaged_state {
	uint32_t limit;		/* rests when attempts are as many */
	uint32_t attempts;	/* counted before CR3 is written */
	uint32_t executions;	/* counted after paging is off again */
	uint32_t wanted;	/* what it writes to CR3 */
	uint32_t result;	/* what it reads back */
	uint32_t found;		/* with paging, at GUEST_UNPAGED_SEEN */
	uint32_t paged;		/* CR3 then */
};

struct guest {
	uint64_t gpa;
	const uint8_t *code;
	const uint8_t *end;
};

#define GUEST(name, address) \
	extern const uint8_t guest_##name##_code[], guest_##name##_end[]; \
	static const struct guest guest_##name \
		__attribute__((unused)) = { \
		address, guest_##name##_code, guest_##name##_end \
	}

GUEST(busy, GUEST_CODE);		/* counts for ever */
GUEST(copy, GUEST_CODE + 0x1000);	/* copies a page at each trigger */
GUEST(halt, GUEST_CODE + 0x2000);	/* waits for interrupts for ever */
GUEST(steps, GUEST_STEPS);		/* what is hard to step over */
GUEST(boot, GUEST_BOOT);		/* a PC's way to the next */
GUEST(events, GUEST_EVENTS);		/* see its file; in 64-bit mode */
GUEST(nested, GUEST_CODE + 0x3000);	/* enters its own guest, for ever */
GUEST(nested_inner, GUEST_NESTED_INNER);	/* is that guest */
GUEST(nested_vmx, GUEST_CODE + 0x3000);	/* both, for VMX */
GUEST(nested_vmx_inner, GUEST_NESTED_INNER);
GUEST(caught, GUEST_STUBS);		/* handlers, 16 bytes for a vector */

GUEST(task, GUEST_CODE + 0x4000);	/* two tasks; see its file */

GUEST(real, GUEST_CODE + 0x5000);	/* see its file */

GUEST(unpaged, GUEST_CODE + 0x6000);	/* see its file */

extern const uint8_t guest_unpaged_cr3[], guest_unpaged_on[];
extern const uint8_t guest_unpaged_off[];
extern const uint8_t guest_real_lmsw[], guest_real_cr0[], guest_real_cr3[];
extern const uint8_t guest_real_cr4[];
extern const uint8_t guest_real_on_timer[], guest_real_on_other[];
extern const uint8_t guest_task_second[], guest_task_other[];

/* Where the events guest has its instructions and its handlers. */
extern const uint8_t guest_events_cr0[], guest_events_cr3[];
extern const uint8_t guest_events_cr4[], guest_events_int3[];
extern const uint8_t guest_events_hypercall[], guest_events_hlt[];
extern const uint8_t guest_events_nop[], guest_events_page[];
extern const uint8_t guest_events_msr[], guest_events_xsetbv[];
extern const uint8_t guest_events_sidt[], guest_events_sgdt[];
extern const uint8_t guest_events_sldt[], guest_events_str[];
extern const uint8_t guest_events_lidt[], guest_events_lgdt[];
extern const uint8_t guest_events_lldt[], guest_events_ltr[];
extern const uint8_t guest_events_on_gp[];
extern const uint8_t guest_events_on_int3[], guest_events_on_timer[];
extern const uint8_t guest_events_on_other[], guest_events_on_ud[];
extern const uint8_t guest_events_xmm[], guest_events_trap[];
extern const uint8_t guest_events_other_call[];
#else
#define GUEST_BEGIN(name) \
	.section .rodata; .code16; .balign 16; \
	.globl guest_##name##_code; guest_##name##_code:
#define GUEST_END(name) \
	.globl guest_##name##_end; guest_##name##_end: \
	.section .note.GNU-stack, "", @progbits
#endif

#endif /* TESTS_GUEST_GUEST_H */
