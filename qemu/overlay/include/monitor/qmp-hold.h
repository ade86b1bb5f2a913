/*
 * Replies to QMP commands that come later than the command's function
 * returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef MONITOR_QMP_HOLD_H
#define MONITOR_QMP_HOLD_H

typedef struct QMPHold QMPHold;

/**
 * qmp_hold_reply:
 *
 * Called by the function of a command that is neither a coroutine nor
 * out-of-band: its reply, a success, is not sent when the function returns
 * but with qmp_release_reply().  Until then this monitor executes no other
 * command, so that its replies come in order; other monitors go on.
 *
 * Returns: the reply, or NULL if this is no QMP monitor; main thread
 */
QMPHold *qmp_hold_reply(void);

/**
 * qmp_release_reply:
 * @hold: the reply; not valid any more afterwards
 * @err: NULL, or the error that the command came to; taken
 *
 * Send the reply, unless the client has gone; main thread.
 */
void qmp_release_reply(QMPHold *hold, Error *err);

#endif
