// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where bytes are in guest memory. Memory is read a chunk at a time; the end of
 * each chunk is kept in front of the next one, so that what lies across is found.
 * Holes are skipped, and nothing lies across a hole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "matches.h"

#define PAGE_SIZE	SEARCH_PAGE
#define CHUNK		(CHUNK_PAGES * PAGE_SIZE)
#define CONTEXT		32

static uint8_t *chunk_of(struct search *s)
{
	return s->buffer + PATTERN_MAX;
}

static void add_match(struct search *s, uint64_t address, const uint8_t *bytes,
		      size_t room)
{
	size_t size = s->size < CONTEXT ? CONTEXT : s->size;
	uint64_t gpa = address;

	size = size < room ? size : room;
	/* It may not be there any more. */
	if (s->view && view_translate(s->view, address, &gpa))
		return;
	s->found++;
	matches_add(s->matches, s->view, address, gpa, bytes, size);
}

static bool is_inside(const struct search *s, uint64_t address)
{
	return address >= s->start && address + s->size <= s->end;
}

/* Searches bytes without a hole. Returns true when that is enough. */
static bool search_run(struct search *s, uint8_t *from, uint8_t *to)
{
	uint8_t *at = from;
	uint64_t address;

	while ((at = memmem(at, to - at, s->pattern, s->size))) {
		address = s->at + (uint64_t)(at - chunk_of(s));
		if (is_inside(s, address))
			add_match(s, address, at, to - at);
		if (s->is_first && s->found)
			return true;
		at++;
	}
	return false;
}

static size_t run_length(const struct search *s, size_t page, size_t count)
{
	size_t n = 0;

	while (page + n < count && !s->status[page + n])
		n++;
	return n;
}

/* Keeps what could be the beginning of a match in front of the next chunk. */
static void keep_tail(struct search *s, size_t count, size_t run)
{
	uint8_t *end = chunk_of(s) + count * PAGE_SIZE;
	size_t have = run * PAGE_SIZE + (run == count ? s->kept : 0);

	s->kept = s->size - 1 < have ? s->size - 1 : have;
	memmove(chunk_of(s) - s->kept, end - s->kept, s->kept);
}

static bool search_chunk(struct search *s, size_t count)
{
	size_t page = 0, run = 0;
	uint8_t *from;

	while (page < count) {
		run = run_length(s, page, count);
		from = chunk_of(s) + page * PAGE_SIZE - (page ? 0 : s->kept);
		page += run;
		s->pages += run;
		if (run && search_run(s, from, chunk_of(s) + page * PAGE_SIZE))
			return true;
		if (page < count)
			run = 0, page++;
	}
	keep_tail(s, count, run);
	return false;
}

static void show_progress(const struct search *s)
{
	static time_t last;
	time_t now = time(NULL);

	if (!s->is_progress || now == last)
		return;
	last = now;
	fprintf(stderr, "\rkvmi: %3u %% of %" PRIu64 " MiB, %" PRIu64 " found\033[K",
		(unsigned int)((s->at - s->start) * 100.0 / (s->end - s->start)),
		(s->end - s->start) >> 20, s->found);
}

/* What is not mapped, or where there is no memory, is a hole. */
static int read_virtual(struct search *s, size_t count)
{
	struct kvmi_range ranges[CHUNK_PAGES];
	size_t i, n = 0;
	uint64_t gpa;
	int err;

	for (i = 0; i < count && !is_stopped; i++) {
		s->status[i] = view_translate(s->view, s->at + i * PAGE_SIZE,
					      &gpa);
		if (s->status[i] && s->status[i] != -EFAULT &&
		    s->status[i] != -ENOENT)
			return s->status[i];
		if (s->status[i])
			continue;
		ranges[n++] = (struct kvmi_range){
			.gpa = gpa, .data = chunk_of(s) + i * PAGE_SIZE,
			.size = PAGE_SIZE,
		};
	}
	if (is_stopped)
		return -EINTR;
	err = kvmi_vm_readv_physical(s->vm, ranges, n);
	for (i = 0, n = 0; i < count && !err; i++)
		if (!s->status[i])
			s->status[i] = ranges[n++].err;
	return err;
}

static int read_chunk(struct search *s, size_t count)
{
	if (s->view)
		return read_virtual(s, count);
	return kvmi_vm_read_pages(s->vm, s->at, chunk_of(s), count, s->status);
}

static int search_all(struct search *s)
{
	uint64_t left;
	size_t count;
	int err;

	for (s->at = s->start & ~(PAGE_SIZE - 1); s->at < s->end;
	     s->at += count * PAGE_SIZE) {
		if (is_stopped)
			return -EINTR;
		left = (s->end - s->at - 1) / PAGE_SIZE + 1;
		count = left < CHUNK_PAGES ? left : CHUNK_PAGES;
		show_progress(s);
		err = read_chunk(s, count);
		if (err || search_chunk(s, count))
			return err;
	}
	return 0;
}

int search_memory(struct search *s)
{
	int err;

	s->buffer = malloc(PATTERN_MAX + CHUNK);
	err = s->buffer ? search_all(s) : -ENOMEM;
	free(s->buffer);
	if (s->is_progress)
		fputs("\r\033[K", stderr);
	if (err && err != -EINTR)
		complain(err, "cannot read at 0x%" PRIx64, s->at);
	return err;
}
