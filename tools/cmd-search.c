// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmi search: where bytes are in guest memory. Memory is read a chunk at a
 * time; the end of each chunk is kept in front of the next one, so that what
 * lies across is found. Holes are skipped, and nothing lies across a hole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "kvmi.h"

#define PAGE_SIZE	4096UL
#define CHUNK_PAGES	256
#define CHUNK		(CHUNK_PAGES * PAGE_SIZE)
#define PATTERN_MAX	PAGE_SIZE
#define CONTEXT		32

enum {
	OPTION_HEX = OPTION_OWN,
	OPTION_START,
	OPTION_END,
	OPTION_FIRST,
};

struct search {
	uint8_t *pattern;
	size_t size;
	uint64_t start, end;	/* where a match may begin, and must end */
	bool is_first;
	bool is_progress;
	struct json_object *json;	/* or NULL */

	uint64_t gpa;		/* of the chunk */
	size_t kept;		/* bytes in front of the chunk */
	uint64_t found;
	uint64_t pages;
	int status[CHUNK_PAGES];
	uint8_t *buffer;	/* PATTERN_MAX, and a chunk */
};

static uint8_t *chunk_of(struct search *s)
{
	return s->buffer + PATTERN_MAX;
}

static void print_match(struct search *s, uint64_t gpa, const uint8_t *at,
			size_t room)
{
	size_t size = s->size < CONTEXT ? CONTEXT : s->size;
	struct json_object *o;
	char text[129];

	size = size < room ? size : room;
	size = size < sizeof(text) ? size : sizeof(text) - 1;
	if (s->json) {
		o = json_object_new_object();
		json_object_object_add(o, "gpa", json_gpa(gpa));
		json_object_object_add(o, "context", json_hex(at, size));
		json_object_array_add(s->json, o);
		return;
	}
	for (room = 0; room < size; room++)
		text[room] = at[room] >= ' ' && at[room] < 0x7f ?
			     (char)at[room] : '.';
	text[size] = '\0';
	if (s->is_progress)
		fputs("\r\033[K", stderr);
	printf("0x%" PRIx64 "  %s\n", gpa, text);
	fflush(stdout);
}

static bool is_inside(const struct search *s, uint64_t gpa)
{
	return gpa >= s->start && gpa + s->size <= s->end;
}

/* Searches bytes without a hole. Returns true when that is enough. */
static bool search_run(struct search *s, uint8_t *from, uint8_t *to)
{
	uint8_t *at = from;
	uint64_t gpa;

	while ((at = memmem(at, to - at, s->pattern, s->size))) {
		gpa = s->gpa + (uint64_t)(at - chunk_of(s));
		if (is_inside(s, gpa)) {
			s->found++;
			print_match(s, gpa, at, to - at);
			if (s->is_first)
				return true;
		}
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
		(unsigned int)((s->gpa - s->start) * 100.0 / (s->end - s->start)),
		(s->end - s->start) >> 20, s->found);
}

static int search_all(struct kvmi_vm *vm, struct search *s)
{
	uint64_t left;
	size_t count;
	int err;

	for (s->gpa = s->start & ~(PAGE_SIZE - 1); s->gpa < s->end;
	     s->gpa += count * PAGE_SIZE) {
		if (is_stopped)
			return -EINTR;
		left = (s->end - s->gpa - 1) / PAGE_SIZE + 1;
		count = left < CHUNK_PAGES ? left : CHUNK_PAGES;
		show_progress(s);
		err = kvmi_vm_read_pages(vm, s->gpa, chunk_of(s), count,
					 s->status);
		if (err) {
			complain(err, "cannot read at 0x%" PRIx64, s->gpa);
			return err;
		}
		if (search_chunk(s, count))
			break;
	}
	if (s->is_progress)
		fputs("\r\033[K", stderr);
	return 0;
}

static int find_end(struct kvmi_vm *vm, struct search *s)
{
	uint64_t gfn;
	int err;

	err = kvmi_vm_get_max_gfn(vm, &gfn);
	if (err) {
		complain(err, "cannot ask where memory ends; give --end");
		return err;
	}
	if (s->end > gfn * PAGE_SIZE)
		s->end = gfn * PAGE_SIZE;
	return 0;
}

static int act(const struct common *common, struct search *s)
{
	struct session session;
	int status, err = 0;

	status = session_open(&session, common);
	if (status)
		return status;

	if (s->end == UINT64_MAX)
		err = find_end(session.vm, s);
	s->buffer = malloc(PATTERN_MAX + CHUNK);
	if (!err)
		err = s->buffer ? search_all(session.vm, s) : -ENOMEM;
	free(s->buffer);
	session_close(&session);
	if (err)
		return EXIT_FAILED;

	if (s->json)
		print_json(json_object_get(s->json));
	else
		fprintf(stderr, "kvmi: %" PRIu64 " found in %" PRIu64 " MiB\n",
			s->found, s->pages / (PAGE_SIZE / 16));
	return s->found ? EXIT_DONE : EXIT_FAILED;
}

static uint64_t address(const char *text)
{
	uint64_t gpa;

	if (parse_number(text, &gpa))
		usage(&verb_search, "'%s' is no address as 0x1000", text);
	return gpa;
}

static void read_pattern(struct search *s, bool is_hex, const char *text)
{
	if (!is_hex) {
		s->size = strlen(text);
		s->pattern = (uint8_t *)strdup(text);
	} else if (parse_hex(text, &s->pattern, &s->size)) {
		usage(&verb_search, "'%s' are no bytes as 0f1e2d", text);
	}
	if (s->size && s->size <= PATTERN_MAX)
		return;
	free(s->pattern);
	usage(&verb_search, "a pattern has 1 to %lu bytes", PATTERN_MAX);
}

static void read_command_line(struct search *s, struct common *common, int argc,
			      char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "hex", no_argument, NULL, OPTION_HEX },
		{ "start", required_argument, NULL, OPTION_START },
		{ "end", required_argument, NULL, OPTION_END },
		{ "first", no_argument, NULL, OPTION_FIRST },
		{ 0 },
	};
	bool is_hex = false;
	int option;

	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_HEX)
			is_hex = true;
		else if (option == OPTION_START)
			s->start = address(optarg);
		else if (option == OPTION_END)
			s->end = address(optarg);
		else if (option == OPTION_FIRST)
			s->is_first = true;
		else
			common_option(common, &verb_search, option);
	}
	if (argc - optind != 1)
		usage(&verb_search, "give one pattern");
	if (s->start >= s->end)
		usage(&verb_search, "--start must be below --end");
	/* The last, for it allocates. */
	read_pattern(s, is_hex, argv[optind]);
}

static int run(int argc, char **argv)
{
	struct search s = { .end = UINT64_MAX };
	struct common common;
	int status;

	common_init(&common);
	read_command_line(&s, &common, argc, argv);
	if (!s.pattern) {
		complain(-ENOMEM, "cannot search");
		return EXIT_FAILED;
	}
	s.json = common.is_json ? json_object_new_array() : NULL;
	s.is_progress = isatty(STDERR_FILENO) && !common.is_json;

	status = act(&common, &s);
	json_object_put(s.json);
	free(s.pattern);
	return status;
}

const struct verb verb_search = {
	.name = "search",
	.arguments = "PATTERN",
	.summary = "Search guest memory for a text or bytes",
	.help = "      --hex           the pattern is hexadecimal bytes\n"
		"      --start GPA     begin here; default 0\n"
		"      --end GPA       end before this; default the end of memory\n"
		"      --first         stop at the first match\n",
	.run = run,
};
