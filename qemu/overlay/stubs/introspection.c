/*
 * VM introspection: stubs for builds without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "system/introspection.h"

void introspection_before_reset(void)
{
}

bool introspection_crashed(CPUState *cpu, uint16_t run_flags)
{
    return false;
}
