// SPDX-License-Identifier: GPL-2.0-or-later
/* Find with what a guest's kernel patches its text, and which places it can. */
#include <errno.h>
#include <stdlib.h>

#include "protect.h"

#define LIST_MAX	(16u << 20)

/* Of different versions; one that is not there is left out. */
static const char *const caller_names[COPIERS] = {
	"__text_poke", "text_poke", "text_poke_memcpy", "text_poke_memset",
	"text_poke_copy", "text_poke_kgdb", "text_poke_set",
};

static const char *const copier_names[COPIERS] = {
	"memcpy", "__memcpy", "memcpy_orig", "memcpy_erms", "memset",
	"__memset", "memset_orig", "memset_erms",
};

static void find_ranges(struct protect *p, const char *const *names,
			struct range *ranges)
{
	uint64_t offset;
	int i;

	for (i = 0; i < COPIERS; i++)
		if (names[i] &&
		    !linux_symbol(p->guest, names[i], &ranges[i].start) &&
		    !linux_symbol_at(p->guest, ranges[i].start, &offset,
				     &ranges[i].end))
			ranges[i].end = ranges[i].start;
}

/* The bytes between two symbols; NULL and 0 if there are none. */
static int read_list(struct protect *p, const char *start, const char *stop,
		     uint8_t **list, uint64_t *gva, size_t *size)
{
	uint64_t end;
	int err;

	*list = NULL;
	*size = 0;
	if (linux_symbol(p->guest, start, gva) ||
	    linux_symbol(p->guest, stop, &end) || end <= *gva)
		return 0;
	if (end - *gva > LIST_MAX)
		return -EBADMSG;
	*size = end - *gva;
	*list = malloc(*size);
	err = *list ? linux_read(p->guest, *gva, *list, *size) : -ENOMEM;
	if (err)
		free(*list);
	return err;
}

static uint64_t relative(const uint8_t *list, uint64_t gva, size_t at)
{
	int32_t distance;

	memcpy(&distance, list + at, sizeof(distance));
	return gva + at + (uint64_t)(int64_t)distance;
}

/* struct jump_entry: code and target, relative to themselves, and a key. */
static int add_keys(struct protect *p)
{
	struct pokes *pokes = &p->own.pokes;
	uint8_t *list;
	uint64_t gva;
	size_t size, at;
	int err;

	err = read_list(p, "__start___jump_table", "__stop___jump_table", &list,
			&gva, &size);
	if (err)
		return err;
	for (at = 0; at + 16 <= size; at += 16)
		pokes->sites[pokes->site_count++] = (struct poke_site){
			.address = relative(list, gva, at),
			.target = relative(list, gva, at + 4),
			.kind = POKE_KEY,
		};
	free(list);
	return 0;
}

/* struct static_call_site: the call, and a key with flags. */
static int add_calls(struct protect *p)
{
	struct pokes *pokes = &p->own.pokes;
	uint8_t *list;
	uint64_t gva;
	size_t size, at;
	int err;

	err = read_list(p, "__start_static_call_sites",
			"__stop_static_call_sites", &list, &gva, &size);
	if (err)
		return err;
	for (at = 0; at + 8 <= size; at += 8)
		pokes->sites[pokes->site_count++] = (struct poke_site){
			.address = relative(list, gva, at),
			.kind = POKE_CALL,
		};
	free(list);
	return 0;
}

static size_t count_list(struct protect *p, const char *start,
			 const char *stop, size_t size)
{
	uint64_t from, to;

	if (linux_symbol(p->guest, start, &from) ||
	    linux_symbol(p->guest, stop, &to) || to <= from ||
	    to - from > LIST_MAX)
		return 0;
	return (to - from) / size;
}

static int add_sites(struct protect *p)
{
	struct pokes *pokes = &p->own.pokes;
	size_t room;
	int err;

	room = count_list(p, "__start___jump_table", "__stop___jump_table", 16) +
	       count_list(p, "__start_static_call_sites",
			  "__stop_static_call_sites", 8);
	pokes->sites = calloc(room ? room : 1, sizeof(*pokes->sites));
	err = pokes->sites ? add_keys(p) : -ENOMEM;
	if (!err)
		err = add_calls(p);
	if (!err)
		poke_sort(pokes);
	return err;
}

/* poking_mm, the tables by which text is written, and where they map it. */
static int find_window(struct protect *p)
{
	uint64_t gva, mm, pgd;
	int err;

	err = linux_symbol(p->guest, "poking_addr", &gva);
	if (!err)
		err = linux_read(p->guest, gva, &p->own.window,
				 sizeof(p->own.window));
	if (!err)
		err = linux_symbol(p->guest, "poking_mm", &gva);
	if (!err)
		err = linux_read(p->guest, gva, &mm, sizeof(mm));
	if (!err)
		err = linux_read_field(p->guest, mm, "mm_struct", "pgd", &pgd,
				       sizeof(pgd));
	if (!err)
		err = linux_translate(p->guest, pgd, &p->own.root);
	return err;
}

int own_find(struct protect *p)
{
	int err = find_window(p);

	find_ranges(p, caller_names, p->own.callers);
	find_ranges(p, copier_names, p->own.copiers);
	return err ? err : add_sites(p);
}
