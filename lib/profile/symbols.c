// SPDX-License-Identifier: LGPL-2.1-or-later
/* Read the tables of kallsyms: names are made of tokens. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "kallsyms.h"

#define NAME_MAX_SIZE	1024
#define TEXT_MAX	(256ul << 20)

struct reader {
	const struct kallsyms *tables;
	const uint8_t *tokens, *offsets, *name, *end;
	char *text;
	size_t size, room;
};

static int make_room(struct reader *r)
{
	size_t room = r->room ? 2 * r->room : 1ul << 20;
	char *text;

	if (r->room - r->size >= NAME_MAX_SIZE)
		return 0;
	if (room > TEXT_MAX)
		return -EBADMSG;
	text = realloc(r->text, room);
	if (!text)
		return -ENOMEM;
	r->text = text;
	r->room = room;
	return 0;
}

static int add_token(struct reader *r, size_t start, uint8_t byte)
{
	const char *token = (const char *)r->tokens + r->tables->index[byte];
	size_t length = strlen(token);

	if (r->size - start + length >= NAME_MAX_SIZE)
		return -EBADMSG;
	memcpy(r->text + r->size, token, length);
	r->size += length;
	return 0;
}

/* What ends up in files and on terminals has to be printable. */
static int check_name(const char *name)
{
	if (!name[0] || !name[1])
		return -EBADMSG;
	for (; *name; name++)
		if (!isgraph((unsigned char)*name))
			return -EBADMSG;
	return 0;
}

/* Appends the next name: its type, its letters and a NUL. */
static int expand(struct reader *r)
{
	size_t length, start = r->size;
	int err = make_room(r);

	if (err)
		return err;
	if (r->end - r->name < 2)
		return -EBADMSG;
	length = *r->name++;
	if (length & 0x80)
		length = (length & 0x7f) | (size_t)*r->name++ << 7;
	if (length > (size_t)(r->end - r->name))
		return -EBADMSG;
	for (; length && !err; length--)
		err = add_token(r, start, *r->name++);
	r->text[r->size++] = '\0';
	return err ? err : check_name(r->text + start);
}

static void set_address(const struct kallsyms *k, uint32_t offset,
			struct symbol *symbol)
{
	bool is_address = k->has_absolute && offset <= INT32_MAX;

	symbol->is_absolute = is_address;
	if (is_address)
		symbol->address = offset;
	else if (k->has_absolute)
		symbol->address = k->base - 1 -
				  (uint64_t)(int64_t)(int32_t)offset;
	else
		symbol->address = k->base + offset;
}

static int read_list(struct reader *r, struct symbol *list)
{
	size_t i, *starts = calloc(r->tables->count, sizeof(*starts));
	int err = starts ? 0 : -ENOMEM;

	for (i = 0; i < r->tables->count && !err; i++) {
		starts[i] = r->size;
		set_address(r->tables, get32(r->offsets + 4 * i), &list[i]);
		err = expand(r);
	}
	for (i = 0; i < r->tables->count && !err; i++) {
		list[i].type = r->text[starts[i]];
		list[i].name = r->text + starts[i] + 1;
	}
	free(starts);
	return err;
}

int kallsyms_read(const struct kallsyms *k, struct symbols *symbols)
{
	struct image *image = k->image;
	struct reader r = { .tables = k };
	int err;

	*symbols = (struct symbols){ 0 };
	r.tokens = image_at(image, k->token_table,
			    k->token_index - k->token_table);
	r.offsets = image_at(image, k->offsets, k->count * 4ul);
	r.name = image_at(image, k->names, k->markers - k->names);
	if (!r.tokens || !r.offsets || !r.name)
		return -EBADMSG;
	r.end = r.name + (k->markers - k->names);

	symbols->list = calloc(k->count, sizeof(*symbols->list));
	err = symbols->list ? read_list(&r, symbols->list) : -ENOMEM;
	symbols->count = k->count;
	symbols->text = r.text;
	if (err)
		symbols_free(symbols);
	return err;
}

void symbols_free(struct symbols *symbols)
{
	free(symbols->list);
	free(symbols->text);
	*symbols = (struct symbols){ 0 };
}

const struct symbol *symbols_find(const struct symbols *symbols,
				  const char *name)
{
	const struct symbol *found = NULL;
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		if (strcmp(symbols->list[i].name, name))
			continue;
		if (!found)
			found = &symbols->list[i];
		if (isupper((unsigned char)symbols->list[i].type))
			return &symbols->list[i];
	}
	return found;
}

/* How many lie at or below the address. */
static size_t count_to(const struct symbols *symbols, uint64_t address)
{
	size_t low = 0, high = symbols->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (symbols->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A 64-bit kernel's entry of a system call often has two names, 32 bits first. */
static int rank(const struct symbol *s)
{
	return 2 * !!isupper((unsigned char)s->type) +
	       !!strncmp(s->name, "__ia32_", 7);
}

const struct symbol *symbols_at(const struct symbols *symbols, uint64_t address,
				uint64_t *next)
{
	const struct symbol *s, *found = NULL;
	size_t end = count_to(symbols, address), i;

	*next = end < symbols->count ? symbols->list[end].address : UINT64_MAX;
	for (i = end; i > 0; i--) {
		s = &symbols->list[i - 1];
		if (s->is_absolute ||
		    (found && s->address != found->address))
			break;
		/* Backwards, so that the first of the best is the last seen. */
		if (!found || rank(s) >= rank(found))
			found = s;
	}
	return found;
}
