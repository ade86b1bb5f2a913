/*
 * Outgoing migrations wait for the tool to leave; the start time goes along.
 *
 * The wait is that for devices which the guest unplugs: the migration's thread
 * asks again and again whether it is over, in the status wait-unplug, while
 * the guest runs and the migration can be cancelled.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "migration/blocker.h"
#include "migration/migration.h"
#include "migration/misc.h"
#include "migration/vmstate.h"
#include "hold.h"
#include "intercept.h"
#include "migrate.h"
#include "trace.h"

/* In the migration's thread, without the BQL. */
static bool unplug_pending(void *opaque)
{
    Introspection *s = opaque;

    return qatomic_read(&s->unplug_pending) &&
           migrate_get_current()->state != MIGRATION_STATUS_CANCELLING;
}

void introspection_migrate_go_on(Introspection *s)
{
    qatomic_set(&s->unplug_pending, false);
}

static void setup(Introspection *s)
{
    introspection_update_hold(s);
    if (introspection_ask_to_leave(s, INTROSPECTION_ACTION_MIGRATE)) {
        qatomic_set(&s->unplug_pending, true);
    }
}

static int migration_changed(NotifierWithReturn *notifier, MigrationEvent *e,
                             Error **errp)
{
    Introspection *s = container_of(notifier, Introspection, migration);

    trace_introspection_migration(introspection_id(s), e->type);
    if (e->type == MIG_EVENT_PRECOPY_SETUP) {
        setup(s);
        return 0;
    }
    introspection_migrate_go_on(s);
    introspection_forget(s, INTROSPECTION_ACTION_MIGRATE);
    return 0;
}

/* A tool was told another start time: it would take this for that guest. */
static int loaded(void *opaque, int version_id)
{
    Introspection *s = opaque;

    trace_introspection_loaded(introspection_id(s), s->start_time);
    introspection_cut(s, INTROSPECTION_REASON_SNAPSHOT_LOAD);
    return 0;
}

static const VMStateDescription vmstate_introspection = {
    .name = "vm_introspection",
    .version_id = 1,
    .minimum_version_id = 1,
    .dev_unplug_pending = unplug_pending,
    .post_load = loaded,
    .fields = (const VMStateField[]) {
        VMSTATE_INT64(start_time, Introspection),
        VMSTATE_END_OF_LIST()
    }
};

void introspection_migrate_start(Introspection *s)
{
    vmstate_register(NULL, 0, &vmstate_introspection, s);
    migration_add_notifier(&s->migration, migration_changed);
}

void introspection_migrate_stop(Introspection *s)
{
    migration_remove_notifier(&s->migration);
    vmstate_unregister(NULL, &vmstate_introspection, s);
}

int introspection_forbid_cpr(Introspection *s, Error **errp)
{
    error_setg(&s->cpr_blocker, "introspection '%s': the VM is being"
               " introspected: end that first, with introspection-disconnect",
               introspection_id(s));
    return migrate_add_blocker_modes(&s->cpr_blocker, errp,
                                     MIG_MODE_CPR_REBOOT,
                                     MIG_MODE_CPR_TRANSFER, -1);
}

void introspection_allow_cpr(Introspection *s)
{
    migrate_del_blocker(&s->cpr_blocker);
}
