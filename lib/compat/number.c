// SPDX-License-Identifier: LGPL-2.1-or-later
/* Numbers: what the old interface and the protocol call the same thing. */
#include <errno.h>

#include "native.h"
#include "number.h"

/* By the old number; 0 is none, as no command has it. */
static const unsigned char commands[] = {
	[2] = KVMI_GET_VERSION,
	[3] = KVMI_VM_CHECK_COMMAND,
	[4] = KVMI_VM_CHECK_EVENT,
	[5] = KVMI_VM_GET_INFO,
	[6] = KVMI_VCPU_GET_INFO,
	[7] = KVMI_VM_PAUSE_VCPU,
	[8] = KVMI_VM_CONTROL_EVENTS,
	[9] = KVMI_VCPU_CONTROL_EVENTS,
	[10] = KVMI_VCPU_CONTROL_CR,
	[11] = KVMI_VCPU_CONTROL_MSR,
	[13] = KVMI_VCPU_GET_REGISTERS,
	[14] = KVMI_VCPU_SET_REGISTERS,
	[15] = KVMI_VCPU_GET_CPUID,
	[16] = KVMI_VCPU_GET_XSAVE,
	[17] = KVMI_VM_READ_PHYSICAL,
	[18] = KVMI_VM_WRITE_PHYSICAL,
	[19] = KVMI_VCPU_INJECT_EXCEPTION,
	[21] = KVMI_VM_SET_PAGE_ACCESS,
	[23] = KVMI_VCPU_GET_MTRR_TYPE,
	[29] = KVMI_VM_GET_MAX_GFN,
	[35] = KVMI_VCPU_TRANSLATE_GVA,
	[37] = KVMI_VCPU_GET_XCR,
	[38] = KVMI_VCPU_SET_XSAVE,
	[63] = KVMI_VCPU_CONTROL_SINGLESTEP,
};

/* By the old number, plus 1; 0 is none. */
static const unsigned char events[KVMI_NUM_EVENTS] = {
	[KVMI_EVENT_UNHOOK] = KVMI_VM_EVENT_UNHOOK + 1,
	[KVMI_EVENT_CR] = KVMI_VCPU_EVENT_CR + 1,
	[KVMI_EVENT_MSR] = KVMI_VCPU_EVENT_MSR + 1,
	[KVMI_EVENT_XSETBV] = KVMI_VCPU_EVENT_XSETBV + 1,
	[KVMI_EVENT_BREAKPOINT] = KVMI_VCPU_EVENT_BREAKPOINT + 1,
	[KVMI_EVENT_HYPERCALL] = KVMI_VCPU_EVENT_HYPERCALL + 1,
	[KVMI_EVENT_PF] = KVMI_VCPU_EVENT_PF + 1,
	[KVMI_EVENT_TRAP] = KVMI_VCPU_EVENT_TRAP + 1,
	[KVMI_EVENT_DESCRIPTOR] = KVMI_VCPU_EVENT_DESCRIPTOR + 1,
	[KVMI_EVENT_PAUSE_VCPU] = KVMI_VCPU_EVENT_PAUSE + 1,
	[KVMI_EVENT_SINGLESTEP] = KVMI_VCPU_EVENT_SINGLESTEP + 1,
};

int number_of_command(int old)
{
	if (old < 0 || (size_t)old >= sizeof(commands) || !commands[old])
		return -ENOENT;
	return commands[old];
}

int number_of_event(int old)
{
	if (old < 0 || old >= KVMI_NUM_EVENTS || !events[old])
		return -ENOENT;
	return events[old] - 1;
}

int number_old_event(unsigned int id)
{
	int old;

	for (old = 0; old < KVMI_NUM_EVENTS; old++)
		if (events[old] && events[old] - 1u == id)
			return old;
	return -ENOENT;
}
