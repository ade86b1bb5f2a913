// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes the tables of kallsyms. */
#include <stdio.h>

#include "made.h"
#include "rig.h"

#define SIZE	(1ul << 20)
#define LONG	13

static uint64_t at;		/* where the next byte goes */
static struct image *to;

static uint64_t align(void)
{
	at = round_up(at, 8);
	return at;
}

static void put(const void *bytes, size_t size)
{
	assert_true(at + size <= to->end);
	memcpy(to->bytes + (at - to->start), bytes, size);
	at += size;
}

static void put32(uint32_t value)
{
	put(&value, sizeof(value));
}

void made_name(uint32_t i, char *name)
{
	if (i == LONG) {
		memset(name, 'x', 300);
		name[0] = 't';
		name[300] = '\0';
		return;
	}
	sprintf(name, "%c%s_%u", "TtDdRb"[i % 6], i % 2 ? "init" : "sys_call",
		i);
}

uint64_t made_address(const struct made *made, uint32_t i)
{
	if (made->has_absolute && i < 10)
		return i * 4096;
	return MADE_BASE + i * 32ull;
}

/* Letters stand for themselves; these two for more. */
static const char *token(unsigned int byte)
{
	static char text[8];

	if (byte == 0x81)
		return "init_";
	if (byte == 0x82)
		return "sys_call_";
	snprintf(text, sizeof(text), byte > ' ' && byte < 0x7f ? "%c" : "[%u]",
		 byte);
	return text;
}

static size_t pack(const char *name, uint8_t *packed)
{
	size_t n = 0, length;
	uint8_t byte;

	for (; *name; name += length) {
		byte = (uint8_t)*name;
		if (!strncmp(name, "init_", 5))
			byte = 0x81;
		else if (!strncmp(name, "sys_call_", 9))
			byte = 0x82;
		length = strlen(token(byte));
		packed[n++] = byte;
	}
	return n;
}

static void put_names(struct made *made)
{
	uint32_t i, markers[16] = { 0 };
	uint8_t packed[512], head[2];
	char name[512];
	size_t length;

	made->count_at = align();
	put32(made->count);
	made->names = align();
	for (i = 0; i < made->count; i++) {
		if (i % 256 == 0)
			markers[i / 256] = (uint32_t)(at - made->names);
		made_name(i, name);
		length = pack(name, packed);
		head[0] = (uint8_t)(length | (length > 127 ? 0x80 : 0));
		head[1] = (uint8_t)(length >> 7);
		put(head, length > 127 ? 2 : 1);
		put(packed, length);
	}
	made->markers = align();
	put(markers, (made->count + 255) / 256 * 4);
}

static void put_sequence(const struct made *made)
{
	uint32_t i;

	align();
	for (i = 0; i < made->count; i++)
		put(&i, 3);
}

static void put_tokens(struct made *made)
{
	uint16_t index[256];
	unsigned int i;

	made->token_table = align();
	for (i = 0; i < 256; i++) {
		index[i] = (uint16_t)(at - made->token_table);
		put(token(i), strlen(token(i)) + 1);
	}
	made->token_index = align();
	put(index, sizeof(index));
}

static void put_offsets(struct made *made)
{
	const uint64_t base = MADE_BASE;
	uint64_t address;
	uint32_t i;

	made->offsets = align();
	for (i = 0; i < made->count; i++) {
		address = made_address(made, i);
		if (!made->has_absolute)
			put32((uint32_t)(address - base));
		else if (address < KERNEL_WINDOW)
			put32((uint32_t)address);
		else
			put32((uint32_t)(base - 1 - address));
	}
	made->base = align();
	put(&base, sizeof(base));
}

void make_tables(struct made *made, struct image *image)
{
	assert_int_equal(image_init(image, MADE_BASE, MADE_BASE + SIZE), 0);
	assert_int_equal(image_add_span(image, image->start, image->end), 0);
	to = image;
	at = image->start + IMAGE_PAGE;
	made->count = made->count ? made->count : MADE_COUNT;
	if (made->order == OFFSETS_FIRST)
		put_offsets(made);
	put_names(made);
	if (made->order == OFFSETS_FIRST && made->has_sequence)
		put_sequence(made);
	put_tokens(made);
	if (made->order == OFFSETS_LAST)
		put_offsets(made);
	if (made->order == OFFSETS_LAST && made->has_sequence)
		put_sequence(made);
	made->end = at;
}
