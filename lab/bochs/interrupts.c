// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts for who runs the guest, of a guest that is entered with its own off.
 *
 * With external-interrupt exiting they make an exit whatever RFLAGS.IF is (Intel
 * SDM, volume 3, "Event Blocking"). Bochs knows that when the guest changes the
 * flag. At an entry it loads the flag before it takes itself for in the guest,
 * and so holds back what the flag holds back outside. Here it looks once more.
 */
#include <stddef.h>

#include "redirect.h"

static void (*look_at_flag)(struct processor *cpu);

void let_interrupts_through(struct processor *cpu)
{
	look_at_flag(cpu);
}

void install_interrupts(void)
{
	look_at_flag = (void *)code_of("_ZN8BX_CPU_C25handleInterruptMaskChangeEv",
				       NULL);
}
