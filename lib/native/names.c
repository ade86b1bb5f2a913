// SPDX-License-Identifier: LGPL-2.1-or-later
/* Names of commands and events, made from the table. */
#include <errno.h>

#include <kvmi/kvmi.h>
#include <kvmi/table.h>

#define NAME_SIZE 32

struct name {
	unsigned int id;
	char text[NAME_SIZE];
};

/* The table writes words with underscores, people read them with dashes. */
#define AT(s, i)	((s)[sizeof(s) > (i) ? (i) : sizeof(s) - 1])
#define DASH(c)		((c) == '_' ? '-' : (c))
#define D1(s, i)	DASH(AT(s, i))
#define D4(s, i)	D1(s, i), D1(s, i + 1), D1(s, i + 2), D1(s, i + 3)
#define D16(s, i)	D4(s, i), D4(s, i + 4), D4(s, i + 8), D4(s, i + 12)
#define DASHED(s)	{ D16(s, 0), D16(s, 16) }

#define NAME(NAME, stem, ...) { KVMI_##NAME, DASHED(#stem) },
#define FITS(NAME, stem, ...) \
	_Static_assert(sizeof(#stem) <= NAME_SIZE, "name of " #stem);

static const struct name commands[] = {
	KVMI_MESSAGES(NAME)
	KVMI_MESSAGES_PLANNED(NAME)
};

static const struct name events[] = {
	KVMI_EVENTS(NAME)
	KVMI_EVENTS_PLANNED(NAME)
};

KVMI_MESSAGES(FITS)
KVMI_MESSAGES_PLANNED(FITS)
KVMI_EVENTS(FITS)
KVMI_EVENTS_PLANNED(FITS)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *find_name(const struct name *names, size_t count,
			     unsigned int id)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i].id == id)
			return names[i].text;
	return NULL;
}

static bool is_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (DASH(*a) != DASH(*b))
			return false;
	return *a == *b;
}

static int find_id(const struct name *names, size_t count, const char *text)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (is_same(names[i].text, text))
			return (int)names[i].id;
	return -ENOENT;
}

const char *kvmi_command_name(unsigned int id)
{
	return find_name(commands, COUNT(commands), id);
}

int kvmi_command_id(const char *name)
{
	return find_id(commands, COUNT(commands), name);
}

const char *kvmi_event_name(unsigned int id)
{
	if (id == KVMI_OWN_EVENT_RETURN)
		return "return";
	if (id == KVMI_OWN_EVENT_END)
		return "end";
	return find_name(events, COUNT(events), id);
}

int kvmi_event_id(const char *name)
{
	return find_id(events, COUNT(events), name);
}
