/*
 * VM introspection: what the rest of QEMU tells it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef SYSTEM_INTROSPECTION_H
#define SYSTEM_INTROSPECTION_H

/**
 * introspection_before_reset:
 *
 * End the introspection session because the machine is about to be reset.
 *
 * A vCPU may be waiting in KVM for the introspection tool.  So this must be
 * called before the vCPUs are paused: cutting the channel lets them go.
 * Does nothing when the VM is not introspected.
 */
void introspection_before_reset(void);

#endif
