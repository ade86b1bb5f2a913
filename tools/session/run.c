// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Running verbs: one, or several in one call. A verb that finds its command line
 * wrong ends here, not the program, for the shell goes on and has to be tidy.
 */
#include <setjmp.h>
#include <stdlib.h>

#include "kvmi.h"

#define SEPARATOR ","

static jmp_buf way_out;
static int way_out_status;

void verb_leave(int status)
{
	way_out_status = status;
	longjmp(way_out, 1);
}

int verb_run(const struct verb *verb, int argc, char **argv)
{
	/* What getopt_long() of the GNU C library takes for: begin anew. */
	optind = 0;
	stop_forget();
	if (setjmp(way_out))
		return way_out_status;
	return verb->run(argc, argv);
}

/* Words up to the next comma or the end. */
static int length(int argc, char **argv)
{
	int n = 0;

	while (n < argc && strcmp(argv[n], SEPARATOR))
		n++;
	return n;
}

/* Before the first of them does anything. Returns how many, or -EXIT_USAGE. */
static int count_verbs(int argc, char **argv)
{
	int n, count = 0;

	do {
		if (!argc || !length(argc, argv)) {
			complain(0, "a verb is missing beside a comma");
			return -EXIT_USAGE;
		}
		if (!verb_find(argv[0])) {
			complain(0, "there is no verb '%s'; 'kvmi help' lists them",
				 argv[0]);
			return -EXIT_USAGE;
		}
		n = length(argc, argv);
		count++;
		if (n == argc)
			return count;
		argv += n + 1;
		argc -= n + 1;
	} while (true);
}

/* A verb that was interrupted and undid its work is the last one as well. */
static int run_all(int argc, char **argv, int count)
{
	int n, status = EXIT_DONE;

	while (count-- && !status && !is_stopped) {
		n = length(argc, argv);
		/* getopt_long() and verbs want the end where the verb's is. */
		argv[n] = NULL;
		status = verb_run(verb_find(argv[0]), n, argv);
		fflush(stdout);
		argv += n + 1;
		argc -= n + 1;
	}
	return status;
}

int verbs_run(int argc, char **argv)
{
	int count = count_verbs(argc, argv);
	bool is_kept = kept_is_on();
	int status;

	if (count < 0)
		return -count;
	if (count > 1 && !is_kept)
		kept_begin(false);
	status = run_all(argc, argv, count);
	if (count > 1 && !is_kept)
		kept_end();
	return status;
}
