// SPDX-License-Identifier: LGPL-2.1-or-later
/* What was missing in one look, and in the next one. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "suspect.h"

int suspects_add(struct suspects *s, struct suspect suspect)
{
	size_t room = s->room ? 2 * s->room : 16;
	struct suspect *list;

	if (s->count == s->room) {
		list = reallocarray(s->list, room, sizeof(*list));
		if (!list)
			return -ENOMEM;
		s->list = list;
		s->room = room;
	}
	s->list[s->count++] = suspect;
	return 0;
}

static int compare(const void *one, const void *other)
{
	const struct suspect *a = one, *b = other;

	if (a->gva != b->gva)
		return a->gva < b->gva ? -1 : 1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static void sort(struct suspects *s)
{
	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), compare);
}

void suspects_meet(struct suspects *s, struct suspects *others)
{
	size_t i, j = 0, count = 0;
	struct suspect both;

	sort(s);
	sort(others);
	for (i = 0; i < s->count; i++) {
		both = s->list[i];
		while (j < others->count &&
		       compare(&others->list[j], &both) < 0)
			j++;
		if (j == others->count || compare(&others->list[j], &both))
			continue;
		both.missing &= others->list[j].missing;
		if (both.missing)
			s->list[count++] = both;
	}
	s->count = count;
}

unsigned int suspects_find(const struct suspects *s, uint64_t gva, uint64_t id)
{
	size_t i;

	for (i = 0; i < s->count; i++)
		if (s->list[i].gva == gva && s->list[i].id == id)
			return s->list[i].missing;
	return 0;
}

void suspects_free(struct suspects *s)
{
	free(s->list);
	*s = (struct suspects){ 0 };
}

void suspects_wait(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_PAUSE_NS };

	nanosleep(&pause, NULL);
}
