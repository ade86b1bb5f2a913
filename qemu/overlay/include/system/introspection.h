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

/**
 * introspection_crashed:
 * @cpu: the vCPU, on its own thread and without the BQL
 * @run_flags: kvm_run.flags of its KVM_EXIT_SHUTDOWN
 *
 * Tell a crash by the introspection tool from a triple fault, and do with the
 * former what is to be done when a guest panics.  Unless that stops the guest,
 * the vCPU goes on with the instruction that the tool was told of.
 *
 * Returns: whether it was a crash by the tool
 */
bool introspection_crashed(CPUState *cpu, uint16_t run_flags);

#endif
