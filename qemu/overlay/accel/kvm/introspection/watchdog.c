/*
 * The end of a session that keeps QEMU's main loop from running.
 *
 * Much of QEMU waits for vCPUs to leave KVM, without a limit and on the main
 * thread.  A vCPU may wait for the tool in a place that it does not leave for
 * a signal.  So a thread of its own looks whether the main loop is alive.  It
 * uses no lock and nothing of QEMU's KVM code, which may be what stands still.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/thread.h"
#include "trace.h"
#include "watchdog.h"

/* The main loop says four times in each timeout that it is alive. */
#define BEATS 4

struct IntrospectionWatchdog {
    QemuThread thread;
    QemuSemaphore stop;
    QEMUTimer *timer;
    int fd;
    int64_t timeout;    /* ms */
    int64_t beat;       /* of the main loop, ms */
    bool stopping;
    bool barked;
};

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

static void beat(void *opaque)
{
    IntrospectionWatchdog *dog = opaque;

    qatomic_set(&dog->beat, now_ms());
    timer_mod(dog->timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                          MAX(dog->timeout / BEATS, 1));
}

static void *watch(void *opaque)
{
    IntrospectionWatchdog *dog = opaque;

    while (!qatomic_read(&dog->stopping)) {
        int64_t left = qatomic_read(&dog->beat) + dog->timeout - now_ms();

        if (left <= 0) {
            qatomic_set(&dog->barked, true);
            shutdown(dog->fd, SHUT_RDWR);
            break;
        }
        qemu_sem_timedwait(&dog->stop, MIN(left, INT32_MAX));
    }
    return NULL;
}

void introspection_watchdog_start(Introspection *s, int fd)
{
    IntrospectionWatchdog *dog;

    if (!s->stall_timeout) {
        return;
    }
    dog = g_new0(IntrospectionWatchdog, 1);
    dog->fd = qemu_dup(fd);
    if (dog->fd < 0) {
        g_free(dog);
        return;
    }
    dog->timeout = s->stall_timeout * INT64_C(1000);
    dog->timer = timer_new_ms(QEMU_CLOCK_REALTIME, beat, dog);
    qemu_sem_init(&dog->stop, 0);
    beat(dog);
    qemu_thread_create(&dog->thread, "kvmi-watchdog", watch, dog,
                       QEMU_THREAD_JOINABLE);
    s->watchdog = dog;
}

bool introspection_watchdog_barked(Introspection *s)
{
    return s->watchdog && qatomic_read(&s->watchdog->barked);
}

void introspection_watchdog_stop(Introspection *s)
{
    IntrospectionWatchdog *dog = g_steal_pointer(&s->watchdog);

    if (!dog) {
        return;
    }
    qatomic_set(&dog->stopping, true);
    qemu_sem_post(&dog->stop);
    qemu_thread_join(&dog->thread);
    timer_free(dog->timer);
    qemu_sem_destroy(&dog->stop);
    close(dog->fd);
    g_free(dog);
}
