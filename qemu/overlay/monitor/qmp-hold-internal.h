/*
 * What the dispatcher of QMP does with replies that are held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef MONITOR_QMP_HOLD_INTERNAL_H
#define MONITOR_QMP_HOLD_INTERNAL_H

#include "monitor/qmp-hold.h"
#include "monitor-internal.h"

/**
 * qmp_hold_take:
 * @mon: the monitor, whose command's function has returned
 * @rsp: its reply; another may be put in its place, or NULL if there is nobody
 * any more to get it
 * @resume: whether the monitor was suspended for this command
 *
 * Returns: whether the reply is kept, and with it the duty to resume
 */
bool qmp_hold_take(MonitorQMP *mon, QDict **rsp, bool resume);

/**
 * qmp_hold_drop_locked:
 * @mon: the monitor, whose client has gone
 *
 * Forget the reply: it is not for the next client.  Called with
 * @mon->qmp_queue_lock.
 */
void qmp_hold_drop_locked(MonitorQMP *mon);

#endif
