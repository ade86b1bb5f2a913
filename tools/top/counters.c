// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters with names, and by how much they grew. */
#include <stdlib.h>

#include "top.h"

static struct counter *find(const struct counters *counters, const char *name)
{
	size_t i;

	for (i = 0; i < counters->count; i++)
		if (!strcmp(counters->list[i].name, name))
			return &counters->list[i];
	return NULL;
}

struct counter *counters_get(struct counters *counters, const char *name)
{
	struct counter *c = find(counters, name);

	if (c)
		return c;
	c = realloc(counters->list, (counters->count + 1) * sizeof(*c));
	if (!c)
		return NULL;
	counters->list = c;
	c += counters->count++;
	*c = (struct counter){ 0 };
	snprintf(c->name, sizeof(c->name), "%s", name);
	return c;
}

uint64_t counters_growth(const struct counters *counters, const char *name)
{
	const struct counter *c = find(counters, name);

	return c ? c->value - c->before : 0;
}

void counters_free(struct counters *counters)
{
	free(counters->list);
	*counters = (struct counters){ 0 };
}
