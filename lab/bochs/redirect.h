/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A library that is loaded into Debian's Bochs before it starts: it gives the
 * emulated processor what the binary lacks, and takes away what a run is to do
 * without.
 */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bochs' C++ object of one processor. Only the fields below are known, by their
 * place in the version that known_layout() recognizes.
 */
struct processor;

#define FIELD(cpu, type, offset)	(*(type *)((char *)(cpu) + (offset)))

/* What the model's CPUID does not tell: a mask of VMX extensions. */
#define vmx_extensions(cpu)	FIELD(cpu, uint32_t, 0x50)
/* Instructions so far; one that ends with an exception counts. */
#define instructions(cpu)	FIELD(cpu, uint64_t, 0x130)
#define in_vmx_guest(cpu)	FIELD(cpu, bool, 0x8fc1)
/* The controls of the VMCS that is current. */
#define primary_controls(cpu)	FIELD(cpu, uint32_t, 0x8fec)
#define entry_event(cpu)	FIELD(cpu, uint32_t, 0x9158)
/* Of the event that is delivered, for an exit meanwhile. */
#define vectoring_info(cpu)	FIELD(cpu, uint32_t, 0x9178)
/* What the capability MSRs say. */
#define pin_allowed(cpu)	FIELD(cpu, uint32_t, 0x9230)
#define ept_vpid_capabilities(cpu)	FIELD(cpu, uint64_t, 0x9248)
/* A bit for each kind of event that waits for the end of the instruction. */
#define pending_events(cpu)	FIELD(cpu, uint32_t, 0x93b0)
/* Makes the processor's loop look at them. */
#define look_at_events(cpu)	FIELD(cpu, uint32_t, 0x93b8)

/*
 * Lead the one call of @callee in @caller, both symbols of Bochs, to @ours.
 * Returns @callee's address, for @ours to call. Ends Bochs where there is no
 * such call.
 */
void *redirect(const char *caller, const char *callee, void *ours);

/* The code of a symbol of Bochs; its length goes to @length, which may be NULL. */
uint8_t *code_of(const char *symbol, uint64_t *length);

/* Make the page or pages of @length bytes at @code writable for a moment. */
void write_code(void *code, const void *bytes, uint64_t length);

/* Is @word in the list, by commas or spaces, of the environment variable @list? */
bool wanted(const char *list, const char *word);

void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format,
							     ...);

void install_monitor_trap(void);
void install_interrupts(void);
/* At an entry, once the processor is in the guest. */
void let_interrupts_through(struct processor *cpu);
void install_capabilities(void);
void install_page_log(void);
void install_virtual_interrupt(void);

#endif /* REDIRECT_H */
