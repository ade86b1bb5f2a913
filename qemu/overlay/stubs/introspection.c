/*
 * VM introspection: stubs for builds without it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qapi-commands-vmi.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"
#include "system/introspection.h"

void introspection_before_reset(void)
{
}

bool introspection_crashed(CPUState *cpu, uint16_t run_flags)
{
    return false;
}

bool introspection_hold_stop(void)
{
    return false;
}

void introspection_cancel_stop(void)
{
}

bool introspection_hold_powerdown(void)
{
    return false;
}

void introspection_before_snapshot(void)
{
}

void introspection_after_snapshot(void)
{
}

void introspection_before_snapshot_load(void)
{
}

IntrospectionInfo *qmp_query_introspection(Error **errp)
{
    error_setg(errp, "this QEMU has no introspection");
    return NULL;
}

void qmp_introspection_disconnect(bool has_force, bool force, Error **errp)
{
    error_setg(errp, "this QEMU has no introspection");
}

void hmp_info_introspection(Monitor *mon, const QDict *qdict)
{
    monitor_printf(mon, "This QEMU has no introspection.\n");
}
