/*
 * A guest that the tool crashes has panicked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/qapi-types-run-state.h"
#include "hw/core/cpu.h"
#include "system/introspection.h"
#include <linux/kvmi.h>
#include "report.h"
#include "trace.h"

bool introspection_crashed(CPUState *cpu, uint16_t run_flags)
{
    g_autofree char *text = NULL;
    GuestPanicInformation *info;

    if (!(run_flags & KVM_RUN_X86_INTROSPECTION_CRASH)) {
        return false;
    }

    trace_introspection_crash(cpu->cpu_index);
    info = g_new0(GuestPanicInformation, 1);
    info->type = GUEST_PANIC_INFORMATION_TYPE_INTROSPECTION;
    info->u.introspection.cpu_index = cpu->cpu_index;
    text = g_strdup_printf("the tool crashed the guest on vCPU %d",
                           cpu->cpu_index);

    bql_lock();
    /* KVM may have come to this just before the object was deleted. */
    if (the_introspection) {
        introspection_warn(the_introspection, text);
    }
    qemu_system_guest_panicked(info);
    bql_unlock();
    return true;
}
