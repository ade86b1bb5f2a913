/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A search of guest memory, and what it finds. */
#ifndef KVMI_TOOL_MATCHES_H
#define KVMI_TOOL_MATCHES_H

#include "kvmi.h"
#include "view.h"

#define SEARCH_PAGE	4096ul
#define PATTERN_MAX	SEARCH_PAGE
#define CHUNK_PAGES	256

struct matches;

struct search {
	uint8_t *pattern;
	size_t size;
	uint64_t start, end;	/* where a match may begin, and must end */
	bool is_first;
	bool is_progress;
	struct kvmi_vm *vm;
	struct view *view;	/* NULL: addresses are physical */
	struct matches *matches;

	uint64_t at;		/* address of the chunk */
	size_t kept;		/* bytes in front of the chunk */
	uint64_t found;
	uint64_t pages;
	int status[CHUNK_PAGES];
	uint8_t *buffer;	/* PATTERN_MAX, and a chunk */
};

/* search.c: complains of what it returns, but of -EINTR. */
int search_memory(struct search *search);

/* matches.c: NULL without memory. */
struct matches *matches_new(bool is_json, bool is_virtual);
/*
 * @view:	tells the symbol of @gva, NULL: what is found has a gpa only
 * @bytes:	what is there, @size of them: the match, and maybe more
 */
void matches_add(struct matches *matches, struct view *view, uint64_t gva,
		 uint64_t gpa, const uint8_t *bytes, size_t size);
void matches_print(struct matches *matches);
void matches_free(struct matches *matches);

#endif
