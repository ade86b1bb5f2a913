// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual-interrupt delivery (Intel SDM, volume 3, "Virtual-Interrupt
 * Delivery" and "Information for VM Exits That Occur During Event Delivery"):
 * where the delivery makes an exit, as by an EPT violation of the stack, the
 * IDT-vectoring information names the vector. Bochs tells that of the event
 * before, most often vector 0, which the guest then gets instead.
 */
#include "redirect.h"

static void (*interrupt)(struct processor *cpu, uint8_t vector,
			 unsigned int type, bool has_error, uint16_t error);

static void deliver(struct processor *cpu, uint8_t vector, unsigned int type,
		    bool has_error, uint16_t error)
{
	vectoring_info(cpu) = vector | type << 8;
	interrupt(cpu, vector, type, has_error, error);
}

void install_virtual_interrupt(void)
{
	interrupt = redirect("_ZN8BX_CPU_C29VMX_Deliver_Virtual_InterruptEv",
			     "_ZN8BX_CPU_C9interruptEhjbt", deliver);
}
