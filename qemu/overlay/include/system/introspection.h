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

/**
 * introspection_hold_stop:
 *
 * Called for "stop", before the VM is stopped.
 *
 * Returns: whether it is not to be stopped now: it is when the tool has left,
 * and the reply of the current QMP command comes then
 */
bool introspection_hold_stop(void);

/**
 * introspection_cancel_stop:
 *
 * Called for "cont": a "stop" that still waits is taken back and fails.
 */
void introspection_cancel_stop(void);

/**
 * introspection_hold_powerdown:
 *
 * Called before the guest is asked to power down.
 *
 * Returns: whether it is not to be asked now: this is called again, by a new
 * request, when the tool has left
 */
bool introspection_hold_powerdown(void);

/**
 * introspection_before_snapshot:
 *
 * Wait until the tool has left, and let none in before
 * introspection_after_snapshot().  A coroutine yields; otherwise the main loop
 * runs in here.
 */
void introspection_before_snapshot(void);
void introspection_after_snapshot(void);

/**
 * introspection_before_snapshot_load:
 *
 * End the session, because there will be another guest.  As before a reset,
 * this must be called before the vCPUs are paused.
 */
void introspection_before_snapshot_load(void);

#endif
