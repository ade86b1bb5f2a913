// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Find the tables of kallsyms. What a kernel cannot have by chance is the pair
 * of the table of tokens and its index; the other tables lie next to it:
 *
 *	before 6.4	offsets, base, count, names, markers, [sequence,]
 *			token table, token index
 *	since 6.4	count, names, markers, token table, token index,
 *			offsets, base, sequence
 *
 * Each begins at a multiple of 8.
 */
#include <errno.h>
#include <stdlib.h>

#include "kallsyms.h"

#define ALIGN		8
#define TOKENS		256
#define TOKEN_MAX	512
#define INDEX_SIZE	(TOKENS * sizeof(uint16_t))
#define MARK_EVERY	256
#define COUNT_MAX	(1u << 20)
#define NAMES_MAX	(64ul << 20)
#define BUDGET		(1ull << 32)

static bool is_index(const uint8_t *at)
{
	uint16_t last = 0, next;
	size_t i;

	if (get16(at))
		return false;
	for (i = 1; i < TOKENS; i++) {
		next = get16(at + 2 * i);
		if (next <= last || next - last > TOKEN_MAX)
			return false;
		last = next;
	}
	return true;
}

/* Whether tokens end where the index says, and the last one at the index. */
static bool is_table(const struct kallsyms *k, const uint8_t *at, size_t size)
{
	size_t i, length, end = 0;

	for (i = 0; i < TOKENS; i++) {
		if (k->index[i] != end)
			return false;
		length = strnlen((const char *)at + end, size - end);
		end += length + 1;
		if (end > size)
			return false;
	}
	return round_up(end, ALIGN) == size;
}

static bool find_table(struct kallsyms *k)
{
	uint64_t last = k->index[TOKENS - 1];
	uint64_t size = round_up(last + 1, ALIGN);
	const uint8_t *table;

	for (; size < last + TOKEN_MAX; size += ALIGN) {
		table = image_at(k->image, k->token_index - size, size);
		if (!table)
			return false;
		if (is_table(k, table, size)) {
			k->token_table = k->token_index - size;
			return true;
		}
	}
	return false;
}

/* The length of the next name and what tells it; false: no sense. */
static bool next_name(const uint8_t *at, const uint8_t *end, size_t *head,
		      size_t *length)
{
	if (at == end)
		return false;
	*head = 1;
	*length = at[0];
	/* Since 6.1. Older kernels have no name that is so long. */
	if (at[0] & 0x80) {
		if (end - at < 2)
			return false;
		*head = 2;
		*length = (at[0] & 0x7f) | (size_t)at[1] << 7;
	}
	return *length && *length <= (size_t)(end - at) - *head;
}

/* Bytes of @count names, with a mark for each MARK_EVERY; 0: no sense. */
static size_t measure_names(struct kallsyms *k, const uint8_t *names,
			    size_t room, uint32_t count, uint32_t *marks)
{
	const uint8_t *at = names, *end = names + room;
	size_t head, length;
	uint32_t i;

	for (i = 0; i < count; i++) {
		if (!k->budget || !next_name(at, end, &head, &length))
			return 0;
		k->budget--;
		if (i % MARK_EVERY == 0)
			marks[i / MARK_EVERY] = (uint32_t)(at - names);
		at += head + length;
	}
	return (size_t)(at - names);
}

static bool check_markers(struct kallsyms *k, size_t size, uint32_t count,
			  const uint32_t *marks)
{
	size_t marks_size = (count + MARK_EVERY - 1) / MARK_EVERY *
			    sizeof(*marks);
	const uint8_t *markers;
	uint64_t end;

	k->markers = round_up(k->names + size, ALIGN);
	end = round_up(k->markers + marks_size, ALIGN);
	k->has_sequence = end != k->token_table;
	if (k->has_sequence)
		end = round_up(end + 3ul * count, ALIGN);
	if (end != k->token_table)
		return false;
	markers = image_at(k->image, k->markers, marks_size);
	return markers && !memcmp(markers, marks, marks_size);
}

static bool is_count(struct kallsyms *k, uint64_t at, uint32_t count,
		     uint32_t *marks)
{
	size_t size, room = k->token_table - at - ALIGN;
	const uint8_t *names;

	/* A name has two bytes at least, in front of them its length. */
	if (!count || count > COUNT_MAX || count > room / 2)
		return false;
	names = image_at(k->image, at + ALIGN, room);
	if (!names)
		return false;
	k->names = at + ALIGN;
	size = measure_names(k, names, room, count, marks);
	return size && check_markers(k, size, count, marks);
}

/* Backwards from the tokens: a number that is followed by so many names. */
static bool find_names(struct kallsyms *k)
{
	uint64_t at = k->token_table, low = k->image->start;
	const uint8_t *word;
	uint32_t *marks;
	bool found = false;

	if (at - low > NAMES_MAX)
		low = at - NAMES_MAX;
	marks = calloc(COUNT_MAX / MARK_EVERY + 1, sizeof(*marks));
	while (marks && !found && at >= low + ALIGN) {
		at -= ALIGN;
		word = image_at(k->image, at, ALIGN);
		if (!word)
			break;
		found = !get32(word + 4) && is_count(k, at, get32(word), marks);
	}
	if (found) {
		k->count_at = at;
		k->count = get32(image_at(k->image, at, ALIGN));
	}
	free(marks);
	return found;
}

static uint64_t address_of(const struct kallsyms *k, uint32_t offset)
{
	if (!k->has_absolute)
		return k->base + offset;
	if (offset <= INT32_MAX)
		return offset;
	return k->base - 1 - (uint64_t)(int64_t)(int32_t)offset;
}

/* Symbols are sorted, and most are in the kernel. */
static bool check_offsets(struct kallsyms *k, uint64_t offsets, uint64_t base)
{
	const uint8_t *list = image_at(k->image, offsets, k->count * 4ul);
	const uint8_t *word = image_at(k->image, base, sizeof(uint64_t));
	uint64_t last = 0, next;
	size_t i;

	if (!list || !word || get64(word) < KERNEL_WINDOW ||
	    get64(word) >= KERNEL_WINDOW + KERNEL_WINDOW_SIZE)
		return false;
	k->base = get64(word);
	k->offsets = offsets;
	k->has_absolute = false;
	for (i = 0; i < k->count && !k->has_absolute; i++)
		k->has_absolute = get32(list + 4 * i) > INT32_MAX;
	for (i = 0; i < k->count; i++, last = next) {
		next = address_of(k, get32(list + 4 * i));
		if (next < last)
			return false;
	}
	return last >= KERNEL_WINDOW;
}

static bool find_offsets(struct kallsyms *k)
{
	uint64_t size = round_up(k->count * 4ul, ALIGN);
	uint64_t last = k->token_index + INDEX_SIZE;
	uint64_t base = k->count_at - ALIGN;

	k->order = OFFSETS_LAST;
	if (check_offsets(k, last, last + size))
		return true;
	k->order = OFFSETS_FIRST;
	return check_offsets(k, base - size, base);
}

static bool try_index(struct kallsyms *k, uint64_t at, const uint8_t *index)
{
	size_t i;

	k->token_index = at;
	for (i = 0; i < TOKENS; i++)
		k->index[i] = get16(index + 2 * i);
	return find_table(k) && find_names(k) && find_offsets(k);
}

static bool search_span(struct kallsyms *k, const struct span *span)
{
	uint64_t at = round_up(span->start, ALIGN), end;
	const uint8_t *bytes;

	for (; at + INDEX_SIZE <= span->end; at = end - INDEX_SIZE + ALIGN) {
		end = round_down(at, IMAGE_BLOCK) + 2 * IMAGE_BLOCK;
		end = end < span->end ? end : round_down(span->end, ALIGN);
		bytes = image_at(k->image, at, end - at);
		for (; bytes && at + INDEX_SIZE <= end; at += ALIGN) {
			if (is_index(bytes) && try_index(k, at, bytes))
				return true;
			bytes += ALIGN;
		}
	}
	return false;
}

int kallsyms_find(struct kallsyms *k, struct image *image)
{
	size_t i;

	*k = (struct kallsyms){ .image = image, .budget = BUDGET };
	for (i = 0; i < image->span_count; i++)
		if (search_span(k, &image->spans[i]))
			return 0;
	return -ENOENT;
}
