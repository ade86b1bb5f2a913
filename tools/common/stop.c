// SPDX-License-Identifier: GPL-2.0-or-later
/* Signals end a verb that changes the guest after it has taken that back. */
#include "kvmi.h"

volatile sig_atomic_t is_stopped;

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

#define SIGNALS	(sizeof(signals) / sizeof(signals[0]))

static bool is_watching, is_always;

static void stop(int number)
{
	is_stopped = number;
}

void stop_by_signals(void)
{
	const struct sigaction action = { .sa_handler = stop };
	size_t i;

	if (is_watching)
		return;
	for (i = 0; i < SIGNALS; i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	is_watching = true;
}

/* Who does not watch for them shall end by them. */
void stop_forget(void)
{
	size_t i;

	is_stopped = 0;
	if (!is_watching || is_always)
		return;
	for (i = 0; i < SIGNALS; i++)
		signal(signals[i], SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	is_watching = false;
}

void stop_always(void)
{
	stop_by_signals();
	is_always = true;
}
