/*
 * Replies to QMP commands that come later than the command's function
 * returns.
 *
 * A reply belongs to the one who holds it.  @taken and @gone are under the
 * lock of the monitor's queue: a client leaves in the monitor's own thread.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qapi/qmp-registry.h"
#include "qobject/qdict.h"
#include "qmp-hold-internal.h"

struct QMPHold {
    MonitorQMP *mon;
    QDict *rsp;
    Error *err;
    bool taken;         /* the command's function has returned */
    bool released;      /* before that */
    bool resume;        /* the monitor is suspended for this command */
    bool gone;          /* the client */
};

QMPHold *qmp_hold_reply(void)
{
    Monitor *cur = monitor_cur();
    MonitorQMP *mon;
    QMPHold *hold;

    if (!cur || !monitor_is_qmp(cur)) {
        return NULL;
    }
    mon = container_of(cur, MonitorQMP, common);
    hold = g_new0(QMPHold, 1);
    hold->mon = mon;
    WITH_QEMU_LOCK_GUARD(&mon->qmp_queue_lock) {
        assert(!mon->hold);
        hold->gone = mon->client_gone;
        mon->hold_gone = hold->gone;
        if (!hold->gone) {
            mon->hold = hold;
        }
    }
    return hold;
}

/* The reply that takes the place of @rsp. */
static QDict *error_reply(QDict *rsp, Error *err)
{
    QDict *reply = qmp_error_response(err);
    QObject *id = qdict_get(rsp, "id");

    if (id) {
        qdict_put_obj(reply, "id", qobject_ref(id));
    }
    qobject_unref(rsp);
    return reply;
}

bool qmp_hold_take(MonitorQMP *mon, QDict **rsp, bool resume)
{
    QMPHold *hold;

    QEMU_LOCK_GUARD(&mon->qmp_queue_lock);
    hold = mon->hold;
    if (mon->hold_gone) {
        mon->hold_gone = false;
        qobject_unref(*rsp);
        *rsp = NULL;
        return false;
    }
    if (!hold) {
        return false;
    }
    if (hold->released) {
        mon->hold = NULL;
        if (hold->err) {
            *rsp = error_reply(*rsp, hold->err);
        }
        g_free(hold);
        return false;
    }
    hold->rsp = *rsp;
    hold->resume = resume;
    hold->taken = true;
    return true;
}

void qmp_hold_drop_locked(MonitorQMP *mon)
{
    QMPHold *hold = mon->hold;

    mon->client_gone = true;
    if (!hold) {
        return;
    }
    mon->hold = NULL;
    hold->gone = true;
    mon->hold_gone = !hold->taken;
    qobject_unref(hold->rsp);
    if (hold->taken && hold->resume) {
        monitor_resume(&mon->common);
    }
}

void qmp_release_reply(QMPHold *hold, Error *err)
{
    MonitorQMP *mon = hold->mon;

    WITH_QEMU_LOCK_GUARD(&mon->qmp_queue_lock) {
        if (hold->gone) {
            error_free(err);
            g_free(hold);
            return;
        }
        if (!hold->taken) {
            hold->released = true;
            hold->err = err;
            return;
        }
        mon->hold = NULL;
    }

    if (err) {
        hold->rsp = error_reply(hold->rsp, err);
    }
    qmp_send_response(mon, hold->rsp);
    qobject_unref(hold->rsp);
    if (hold->resume) {
        monitor_resume(&mon->common);
    }
    /* What has been waiting in the monitor's queue. */
    if (qatomic_read(&qmp_dispatcher_co)) {
        qmp_dispatcher_co_wake();
    }
    g_free(hold);
}
