/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Time: deadlines in milliseconds of the monotonic clock. */
#ifndef KVMI_NATIVE_CLOCK_H
#define KVMI_NATIVE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

int64_t clock_ms(void);
/* The moment @timeout ms from now, CLOCK_NEVER if it is negative. */
int64_t clock_deadline(int timeout);
/* What is left, for poll(2): -1 without limit, 0 when it has passed. */
int clock_left(int64_t deadline);
/* The moment for pthread's clock calls. */
struct timespec clock_timespec(int64_t deadline);
void clock_sleep(int ms);

#endif
