/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the subsystem tells about itself: counters in debugfs, trace events.
 */
#ifndef TESTS_LIB_TRACE_H
#define TESTS_LIB_TRACE_H

#include <stdint.h>

#include "vmm.h"

/* The directory of a VM's counters; skips when there is no debugfs. */
void counters_find(struct vmm *vm, char *path, int size);
/* One counter, e.g. "commands"; fails when it is not there. */
uint64_t counter_read(const char *path, const char *name);
/*
 * Fails if translations were taken, or the view of a vCPU was switched, and no
 * flush came with it. Where there is no debugfs, it does nothing.
 */
void counters_expect_flushed(struct vmm *vm);

/* All events kvmi:* go to a buffer of the test's own. */
void trace_begin(void);
/*
 * How many lines of the buffer show the event and hold the text. Events of
 * other threads may need a moment, so there is trace_wait() too.
 */
int trace_count(const char *event, const char *text);
void trace_wait(const char *event, const char *text, int count);
void trace_end(void);

#endif /* TESTS_LIB_TRACE_H */
