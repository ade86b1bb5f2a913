// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Keep a profile in a file and take it back: what it was found in is not needed
 * again. The numbers are those of this machine, as nobody else reads it. What is
 * read is checked all the same: files get damaged.
 */
#include <errno.h>
#include <stdlib.h>

#include "inside.h"

#define SIZE_MAX_KEPT	(256ull << 20)

struct head {
	uint64_t symbols, text_size, types_size;
	uint64_t linked_to;
	uint64_t is_kaslr_guessed;
	char banner[BANNER_MAX], first_line[BANNER_MAX];
};

struct kept_symbol {
	uint64_t address;
	uint32_t name;		/* in the text behind the symbols */
	char type;
	uint8_t is_absolute;
	uint16_t unused;
};

static size_t name_at(const struct symbols *symbols, size_t i)
{
	return (size_t)(symbols->list[i].name - symbols->text);
}

static uint64_t measure_text(const struct symbols *symbols)
{
	uint64_t end, size = 0;
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		end = name_at(symbols, i) + strlen(symbols->list[i].name) + 1;
		size = end > size ? end : size;
	}
	return size;
}

static void write_symbols(const struct symbols *symbols, FILE *to)
{
	const struct symbol *s = symbols->list;
	struct kept_symbol kept;
	size_t i;

	for (i = 0; i < symbols->count; i++, s++) {
		kept = (struct kept_symbol){
			.address = s->address,
			.name = (uint32_t)name_at(symbols, i),
			.type = s->type,
			.is_absolute = s->is_absolute,
		};
		fwrite(&kept, sizeof(kept), 1, to);
	}
}

int profile_save(const struct profile *p, FILE *to)
{
	struct head head = {
		.symbols = p->symbols.count,
		.text_size = measure_text(&p->symbols),
		.linked_to = p->info.text,
		.is_kaslr_guessed = p->info.is_kaslr_guessed,
	};
	const void *types = NULL;
	uint32_t types_size = 0;

	if (p->types)
		types = btf__raw_data(p->types, &types_size);
	if (p->types && !types)
		return -ENOMEM;
	head.types_size = types_size;
	memcpy(head.banner, p->banner, sizeof(head.banner));
	memcpy(head.first_line, p->first_line, sizeof(head.first_line));
	fwrite(&head, sizeof(head), 1, to);
	write_symbols(&p->symbols, to);
	fwrite(p->symbols.text, 1, head.text_size, to);
	if (types_size)
		fwrite(types, 1, types_size, to);
	return stream_error(to);
}

static int check_head(const struct head *head, size_t size)
{
	if (head->symbols > SIZE_MAX_KEPT || head->types_size > SIZE_MAX_KEPT ||
	    !head->text_size || head->text_size > SIZE_MAX_KEPT ||
	    head->banner[BANNER_MAX - 1] || head->first_line[BANNER_MAX - 1])
		return -EBADMSG;
	return size == sizeof(*head) + head->symbols *
	       sizeof(struct kept_symbol) + head->text_size +
	       head->types_size ? 0 : -EBADMSG;
}

static int load_symbols(struct symbols *symbols, const struct head *head,
			const uint8_t *from)
{
	const uint8_t *text = from + head->symbols * sizeof(struct kept_symbol);
	struct kept_symbol kept;
	size_t i;

	if (text[head->text_size - 1])
		return -EBADMSG;
	symbols->list = calloc(head->symbols + 1, sizeof(*symbols->list));
	symbols->text = malloc(head->text_size);
	if (!symbols->list || !symbols->text)
		return -ENOMEM;
	memcpy(symbols->text, text, head->text_size);
	for (i = 0; i < head->symbols; i++) {
		memcpy(&kept, from + i * sizeof(kept), sizeof(kept));
		if (kept.name >= head->text_size)
			return -EBADMSG;
		symbols->list[i] = (struct symbol){
			.address = kept.address,
			.name = symbols->text + kept.name,
			.type = kept.type,
			.is_absolute = kept.is_absolute,
		};
	}
	symbols->count = head->symbols;
	return 0;
}

static int fill(struct profile *p, const struct head *head, const uint8_t *from)
{
	const uint8_t *types = from + head->text_size +
			       head->symbols * sizeof(struct kept_symbol);
	int err = load_symbols(&p->symbols, head, from);

	if (!err && head->types_size)
		err = types_take(types, head->types_size, &p->types);
	if (err)
		return err;
	memcpy(p->banner, head->banner, sizeof(p->banner));
	memcpy(p->first_line, head->first_line, sizeof(p->first_line));
	p->info.banner = p->first_line;
	p->info.symbols = p->symbols.count;
	p->info.types = p->types ? btf__type_cnt(p->types) : 0;
	p->info.text = head->linked_to;
	p->info.is_kaslr_guessed = head->is_kaslr_guessed;
	return 0;
}

int profile_load(struct profile **profile, const void *bytes, size_t size,
		 const struct profile_info *running)
{
	struct profile *p;
	struct head head;
	int err;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	err = check_head(&head, size);
	if (err)
		return err;
	p = calloc(1, sizeof(*p));
	err = p ? fill(p, &head, (const uint8_t *)bytes + sizeof(head)) :
		  -ENOMEM;
	if (err) {
		profile_free(p);
		return err;
	}
	p->info.is_running = running->is_running;
	p->info.kaslr = running->kaslr;
	p->info.levels = running->levels;
	p->info.page_tables = running->page_tables;
	*profile = p;
	return 0;
}
