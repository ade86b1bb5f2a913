// SPDX-License-Identifier: LGPL-2.1-or-later
/* The VMs that a listener has had a session with. */
#include <string.h>

#include "known.h"

static void forget(struct known *known, unsigned int index)
{
	known->count--;
	memmove(&known->list[index], &known->list[index + 1],
		(known->count - index) * sizeof(known->list[0]));
}

enum kvmi_run known_note(struct known *known, const struct kvmi_identity *now,
			 int64_t *before)
{
	enum kvmi_run run = KVMI_RUN_OTHER;
	unsigned int i;

	for (i = 0; i < known->count && run == KVMI_RUN_OTHER; i++)
		run = kvmi_identity_compare(&known->list[i], now);
	if (run != KVMI_RUN_OTHER) {
		*before = known->list[i - 1].start_time;
		forget(known, i - 1);
	} else if (known->count == KNOWN_MAX) {
		forget(known, 0);
	}
	known->list[known->count++] = *now;
	return run;
}
