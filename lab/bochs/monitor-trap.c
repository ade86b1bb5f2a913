// SPDX-License-Identifier: GPL-2.0-only
/*
 * The monitor trap flag, bit 27 of the primary processor-based VM-execution
 * controls (Intel SDM, volume 3, "Monitor Trap Flag").
 *
 * Bochs knows the exit, and the entry that asks for it by injecting it; some of
 * its models allow the control in IA32_VMX_PROCBASED_CTLS, and ignore it. Here
 * it makes the exit that Bochs knows pending after the first instruction of an
 * entry, and after the delivery of an event that the entry injects.
 */
#include <stddef.h>

#include "redirect.h"

#define MONITOR_TRAP_EXTENSION	(1u << 5)
#define MONITOR_TRAP_FLAG	(1u << 27)
#define MONITOR_TRAP_EVENT	(1u << 4)
#define EVENT_IS_VALID		(1u << 31)

static void (*inject_events)(struct processor *cpu);
static bool (*handle_events)(struct processor *cpu);

/* Where the one processor is in the one instruction of its guest. */
static enum { IDLE, ENTERED, STEPPING } state;
static uint64_t begin;

static void make_pending(struct processor *cpu)
{
	pending_events(cpu) |= MONITOR_TRAP_EVENT;
	look_at_events(cpu) = 1;
}

/* The last thing of an entry. It may not come back: an event can fault. */
static void enter(struct processor *cpu)
{
	let_interrupts_through(cpu);
	state = IDLE;
	if (primary_controls(cpu) & MONITOR_TRAP_FLAG) {
		if (entry_event(cpu) & EVENT_IS_VALID) {
			make_pending(cpu);
		} else {
			state = ENTERED;
			look_at_events(cpu) = 1;
		}
	}
	inject_events(cpu);
}

/* Between two instructions; the exit goes before all that waits with it. */
static bool between_instructions(struct processor *cpu)
{
	bool ret;

	if (!in_vmx_guest(cpu)) {
		state = IDLE;
	} else if (state == ENTERED) {
		begin = instructions(cpu);
		state = STEPPING;
	} else if (state == STEPPING && instructions(cpu) > begin) {
		state = IDLE;
		make_pending(cpu);
	}
	ret = handle_events(cpu);
	if (state == STEPPING)
		look_at_events(cpu) = 1;
	return ret;
}

void install_monitor_trap(void)
{
	inject_events = redirect("_ZN8BX_CPU_C8VMLAUNCHEP15bxInstruction_c",
				 "_ZN8BX_CPU_C19VMenterInjectEventsEv", enter);
	handle_events = redirect("_ZN8BX_CPU_C8cpu_loopEv",
				 "_ZN8BX_CPU_C16handleAsyncEventEv",
				 between_instructions);
}
