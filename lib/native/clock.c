// SPDX-License-Identifier: LGPL-2.1-or-later
/* Time: deadlines in milliseconds of the monotonic clock. */
#include <errno.h>
#include <limits.h>

#include "clock.h"

#define POLL_FOREVER (-1)

int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_deadline(int timeout)
{
	return timeout < 0 ? CLOCK_NEVER : clock_ms() + timeout;
}

int clock_left(int64_t deadline)
{
	int64_t left;

	if (deadline == CLOCK_NEVER)
		return POLL_FOREVER;

	left = deadline - clock_ms();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

struct timespec clock_timespec(int64_t deadline)
{
	/* A century is never, and does not overflow a time_t. */
	const int64_t century = 100LL * 365 * 86400 * 1000;
	struct timespec ts;

	if (deadline == CLOCK_NEVER)
		deadline = clock_ms() + century;
	ts.tv_sec = deadline / 1000;
	ts.tv_nsec = deadline % 1000 * 1000000;
	return ts;
}

void clock_sleep(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &ts) == EINTR)
		;
}
