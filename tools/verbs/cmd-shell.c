// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi shell: verb after verb, in one session that is there meanwhile. */
#include <errno.h>
#include <histedit.h>
#include <stdlib.h>

#include "kept.h"
#include "prompt.h"

struct shell {
	struct prompt *prompt;
	bool is_over;
	unsigned int line;	/* number of the last one */
};

/* From a # that begins a word and is not quoted. */
static void cut_comment(char *line)
{
	char quote = '\0', before = ' ';

	for (; *line; before = *line++) {
		if (*line == '\\' && quote != '\'' && line[1]) {
			line++;
		} else if (quote) {
			quote = *line == quote ? '\0' : quote;
		} else if (*line == '#' && strchr(" \t", before)) {
			*line = '\0';
			return;
		} else if (*line == '\'' || *line == '"') {
			quote = *line;
		}
	}
}

static int run_words(struct shell *shell, int count, char **words)
{
	if (!count)
		return EXIT_DONE;
	if (!strcmp(words[0], "quit") || !strcmp(words[0], "exit")) {
		shell->is_over = true;
		return EXIT_DONE;
	}
	if (!strcmp(words[0], "help"))
		return help(count, words);
	return verbs_run(count, words);
}

static int run_line(struct shell *shell, char *line)
{
	Tokenizer *tokenizer = tok_init(NULL);
	int count, status = EXIT_USAGE;
	const char **words;

	if (!tokenizer) {
		complain(-ENOMEM, "cannot read the line");
		return EXIT_FAILED;
	}
	cut_comment(line);
	if (tok_str(tokenizer, line, &count, &words))
		complain(0, "a quote is not closed");
	else
		status = run_words(shell, count, (char **)words);
	tok_end(tokenizer);
	fflush(stdout);
	return status;
}

/* Nobody sees that a line of a script fails, unless it is the last. */
static int run_script_line(struct shell *shell, char *line)
{
	bool may_fail = *line == '-';
	int status = run_line(shell, line + may_fail);

	if (!status || may_fail)
		return EXIT_DONE;
	complain(0, "line %u has failed and is the last; begin it with - if it may fail",
		 shell->line);
	shell->is_over = true;
	return status;
}

/* Clears the line, or ends all. */
static int be_stopped(struct shell *shell)
{
	if (prompt_is_person(shell->prompt) && is_stopped == SIGINT) {
		stop_forget();
		return EXIT_DONE;
	}
	shell->is_over = true;
	return EXIT_FAILED;
}

static int next_line(struct shell *shell)
{
	char *line;
	int r, status = EXIT_DONE;

	r = prompt_read(shell->prompt, &line);
	if (r == -EINTR) {
		if (prompt_is_person(shell->prompt))
			fputc('\n', stderr);
		return be_stopped(shell);
	}
	if (r < 0)
		complain(r, "cannot read a line");
	if (r <= 0) {
		shell->is_over = true;
		return r ? EXIT_FAILED : EXIT_DONE;
	}
	shell->line++;
	stop_forget();
	if (!prompt_is_person(shell->prompt))
		status = run_script_line(shell, line);
	else
		run_line(shell, line);
	return is_stopped ? be_stopped(shell) : status;
}

static int talk(void)
{
	struct shell shell = { .prompt = prompt_open() };
	int status = EXIT_DONE;

	if (!shell.prompt) {
		complain(-ENOMEM, "no shell");
		return EXIT_FAILED;
	}
	if (prompt_is_person(shell.prompt))
		fputs("kvmi: 'help' lists the verbs, 'quit' lets the VM go\n",
		      stderr);
	while (!shell.is_over)
		status = next_line(&shell);
	prompt_close(shell.prompt);
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_LONG, { 0 } };
	struct session session;
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		common_option(&common, &verb_shell, option);
	if (optind != argc)
		usage(&verb_shell, "there are no arguments");
	if (kept_is_on())
		usage(&verb_shell, "it is a verb for itself");

	stop_always();
	kept_begin(true);
	status = session_open(&session, &common);
	if (!status) {
		session_close(&session);
		status = talk();
	}
	kept_end();
	return status;
}

const struct verb verb_shell = {
	.name = "shell",
	.arguments = "",
	.summary = "Run verb after verb in one session",
	.help = "",
	.run = run,
};
