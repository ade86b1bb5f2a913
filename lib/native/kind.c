// SPDX-License-Identifier: LGPL-2.1-or-later
/* Kinds of events, made from the table. */
#include <string.h>

#include <kvmi/table.h>
#include <linux/kvmi.h>

#include "kind.h"

enum { SCOPE_VM = false, SCOPE_VCPU = true };

#define KIND(NAME, stem, scope, data, reply, actions, ...) \
	{ KVMI_##NAME, SCOPE_##scope, data, reply, actions },

static const struct event_kind kinds[] = {
	KVMI_EVENTS(KIND)
	KVMI_EVENTS_PLANNED(KIND)
};

/* No word is part of another. */
static const char *const actions[] = {
	[KVMI_EVENT_ACTION_CONTINUE] = "CONTINUE",
	[KVMI_EVENT_ACTION_RETRY] = "RETRY",
	[KVMI_EVENT_ACTION_CRASH] = "CRASH",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct event_kind *event_kind_find(unsigned int id)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (kinds[i].id == id)
			return &kinds[i];
	return NULL;
}

bool event_kind_allows(const struct event_kind *kind, unsigned int action)
{
	return action < COUNT(actions) && strstr(kind->actions, actions[action]);
}
