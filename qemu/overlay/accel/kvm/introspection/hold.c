/*
 * When there may be a connection, and when QEMU does not even try.
 *
 * A tool hooks what runs, or is about to: with -S before the first
 * instruction.  It does not hook what waits for an incoming migration, which
 * has no guest yet, nor what is stopped, saved or migrated, which would be
 * saved with the tool's changes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "chardev/char-socket.h"
#include "migration/misc.h"
#include "hold.h"
#include "trace.h"

/* Some ways back to a VM that may be connected are told to nobody. */
#define LOOK_AGAIN_MS 1000

bool introspection_may_connect(Introspection *s)
{
    if (s->pending || s->snapshots || migration_is_running()) {
        return false;
    }
    switch (runstate_get()) {
    case RUN_STATE_RUNNING:
    case RUN_STATE_SUSPENDED:
    case RUN_STATE_PRELAUNCH:
        return true;
    default:
        return false;
    }
}

static void set_held(Introspection *s, bool held)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chr);

    if (s->held != held && chr) {
        trace_introspection_hold(introspection_id(s), held);
        s->held = held;
        qemu_chr_socket_hold(SOCKET_CHARDEV(chr), held);
    }
}

void introspection_update_hold(Introspection *s)
{
    if (s->started) {
        set_held(s, !introspection_may_connect(s));
    }
    if (s->held) {
        timer_mod(s->hold_timer,
                  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + LOOK_AGAIN_MS);
    }
}

static void look_again(void *opaque)
{
    introspection_update_hold(opaque);
}

/* It may be the thread of a migration that stops the VM, or lets it run. */
static void vm_state_changed(void *opaque, bool running, RunState state)
{
    Introspection *s = opaque;

    qemu_bh_schedule(s->bh);
}

void introspection_hold_start_watching(Introspection *s)
{
    s->hold_timer = timer_new_ms(QEMU_CLOCK_REALTIME, look_again, s);
    s->vm_state = qemu_add_vm_change_state_handler(vm_state_changed, s);
    introspection_update_hold(s);
}

void introspection_hold_stop_watching(Introspection *s)
{
    qemu_del_vm_change_state_handler(s->vm_state);
    timer_free(s->hold_timer);
    set_held(s, false);
}
