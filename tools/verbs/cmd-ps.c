// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi ps: the guest's processes, and those that it hides. */
#include <stdlib.h>

#include "kvmi.h"
#include "ps.h"

enum {
	OPTION_THREADS = OPTION_OWN,
	OPTION_CHECK,
};

struct wish {
	bool with_threads;
	bool checks;
};

static size_t count_hidden(const struct linux_task *list, size_t count)
{
	size_t i, hidden = 0;

	for (i = 0; i < count; i++)
		hidden += !!list[i].hidden;
	return hidden;
}

static int list(struct session *session, const struct wish *wish, bool is_json)
{
	struct linux_guest *guest;
	struct linux_task *tasks;
	size_t count, hidden;
	int err;

	stop_by_signals();
	err = guest_open(&guest, session->vm);
	if (err)
		return EXIT_FAILED;
	profile_stop_by(&is_stopped);
	err = linux_get_tasks(guest, wish->with_threads, &tasks, &count);
	profile_stop_by(NULL);
	linux_close(guest);
	if (err) {
		guest_complain(err, "processes");
		return EXIT_FAILED;
	}
	hidden = count_hidden(tasks, count);
	if (is_json)
		print_json(tasks_json(tasks, count));
	else
		tasks_show(tasks, count, wish->with_threads, hidden);
	free(tasks);
	if (hidden)
		complain(0, "hidden in the guest: %zu", hidden);
	return hidden && wish->checks ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "threads", no_argument, NULL, OPTION_THREADS },
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ 0 },
	};
	struct wish wish = { 0 };
	struct session session;
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_THREADS)
			wish.with_threads = true;
		else if (option == OPTION_CHECK)
			wish.checks = true;
		else
			common_option(&common, &verb_ps, option);
	}
	if (optind != argc)
		usage(&verb_ps, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	status = list(&session, &wish, common.is_json);
	session_close(&session);
	return status;
}

const struct verb verb_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "List a Linux guest's processes, also hidden ones",
	.help = "      --threads       list the threads of each process, too\n"
		"      --check         exit status 1 if something is hidden\n",
	.run = run,
};
