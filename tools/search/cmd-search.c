// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi search: where bytes are in guest memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "matches.h"

enum {
	OPTION_HEX = OPTION_OWN,
	OPTION_START,
	OPTION_END,
	OPTION_FIRST,
	OPTION_VIRTUAL,
	OPTION_PID,
};

/* Addresses as they were typed: of the kernel's they can be symbols. */
struct request {
	const char *start, *end;
	bool is_hex, is_virtual;
	int pid;		/* -1: not given */
	struct view view;
};

/* Up to where there is memory. */
static int physical_range(struct search *s, const struct request *req)
{
	uint64_t gfn;
	int err;

	if (req->end)
		return 0;
	err = kvmi_vm_get_max_gfn(s->vm, &gfn);
	if (err)
		complain(err, "cannot ask where memory ends; give --end");
	else
		s->end = gfn * SEARCH_PAGE;
	return err;
}

/* The kernel's image, if nothing else is said. */
static int virtual_range(struct search *s, struct request *req)
{
	int err = view_open(&req->view, s->vm, req->pid);

	if (err)
		return err;
	s->view = &req->view;
	err = view_parse(s->view, req->start ? req->start : "_text", &s->start);
	if (!err)
		err = view_parse(s->view, req->end ? req->end : "_end",
				 &s->end);
	if (!err && s->start >= s->end) {
		complain(0, "0x%" PRIx64 " is not below 0x%" PRIx64, s->start,
			 s->end);
		err = -EINVAL;
	}
	return err;
}

static int search(struct search *s, struct request *req, bool is_json)
{
	int err = req->is_virtual ? virtual_range(s, req) :
				    physical_range(s, req);

	s->matches = matches_new(is_json, req->is_virtual);
	if (!err)
		err = s->matches ? search_memory(s) : -ENOMEM;
	if (s->view)
		view_close(s->view);
	/* What was found before a signal came is found. */
	if (!err || err == -EINTR)
		matches_print(s->matches);
	matches_free(s->matches);
	return err;
}

/* Returns an exit status. */
static int act(const struct common *common, struct search *s,
	       struct request *req)
{
	struct session session;
	int status, err;

	status = session_open(&session, common);
	if (status)
		return status;
	stop_by_signals();
	s->vm = session.vm;
	err = search(s, req, common->is_json);
	session_close(&session);
	if (err && err != -EINTR)
		return EXIT_FAILED;
	if (!common->is_json) {
		fflush(stdout);
		fprintf(stderr, "kvmi: %" PRIu64 " found in %" PRIu64 " MiB%s\n",
			s->found, s->pages / (SEARCH_PAGE / 16),
			err ? ", interrupted" : "");
	}
	return s->found && !err ? EXIT_DONE : EXIT_FAILED;
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

static void take_option(struct search *s, struct request *req,
			struct common *common, int option)
{
	switch (option) {
	case OPTION_HEX:
		req->is_hex = true;
		break;
	case OPTION_START:
		req->start = optarg;
		break;
	case OPTION_END:
		req->end = optarg;
		break;
	case OPTION_FIRST:
		s->is_first = true;
		break;
	case OPTION_VIRTUAL:
		req->is_virtual = true;
		break;
	case OPTION_PID:
		req->pid = pid_option(&verb_search, optarg);
		req->is_virtual = true;
		break;
	default:
		common_option(common, &verb_search, option);
	}
}

static void check(struct search *s, const struct request *req, int count)
{
	if (count != 1)
		usage(&verb_search, "give one pattern");
	if (req->pid >= 0 && (!req->start || !req->end))
		usage(&verb_search, "give --start and --end: a process has too many addresses");
	if (req->is_virtual)
		return;
	if (req->start)
		s->start = address(req->start);
	if (req->end)
		s->end = address(req->end);
	if (s->start >= s->end)
		usage(&verb_search, "--start must be below --end");
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "hex", no_argument, NULL, OPTION_HEX },
		{ "start", required_argument, NULL, OPTION_START },
		{ "end", required_argument, NULL, OPTION_END },
		{ "first", no_argument, NULL, OPTION_FIRST },
		{ "virtual", no_argument, NULL, OPTION_VIRTUAL },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ 0 },
	};
	struct search s = { .end = UINT64_MAX };
	struct request req = { .pid = -1 };
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		take_option(&s, &req, &common, option);
	check(&s, &req, argc - optind);
	/* The last, for it allocates. */
	read_pattern(&s, req.is_hex, argv[optind]);
	if (!s.pattern) {
		complain(-ENOMEM, "cannot search");
		return EXIT_FAILED;
	}
	s.is_progress = isatty(STDERR_FILENO) && !common.is_json;
	status = act(&common, &s, &req);
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
		"      --first         stop at the first match\n"
		"      --virtual       the kernel's addresses, or symbols; default its\n"
		"                      image, _text to _end\n"
		"      --pid N         addresses of this process of the guest\n",
	.run = run,
};
