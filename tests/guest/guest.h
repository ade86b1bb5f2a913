/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The flat guests and what they agree on with the VMM. A guest starts in real
 * mode at its gpa with the index of its vCPU in edi. Assembler includes this.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#define GUEST_CODE		0x1000	/* each guest at its own page */
#define GUEST_COUNTERS		0x8000	/* u32 by vCPU index: rounds made */
#define GUEST_TRIGGER		0x9000	/* u32: copy when it changes */
#define GUEST_SOURCE		0xa000	/* a page */
#define GUEST_TARGET		0xb000	/* a page */
#define GUEST_PORT_REPORT	0xe0
#define GUEST_PORT_EXIT		0xf4

#ifndef __ASSEMBLER__
#include <stdint.h>

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
GUEST(nested, GUEST_CODE + 0x3000);	/* enters its own guest and stays */
#else
#define GUEST_BEGIN(name) \
	.section .rodata; .code16; .balign 16; \
	.globl guest_##name##_code; guest_##name##_code:
#define GUEST_END(name) \
	.globl guest_##name##_end; guest_##name##_end: \
	.section .note.GNU-stack, "", @progbits
#endif

#endif /* TESTS_GUEST_GUEST_H */
