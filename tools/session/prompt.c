// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of a person at a terminal, by libedit, or of a file. Whatever is waited
 * for here, the session is waited for as well: QEMU may want to stop the VM while
 * somebody thinks.
 */
#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

#include "complete.h"
#include "kept.h"
#include "prompt.h"

#define HISTORY_LINES	500

struct prompt {
	EditLine *edit;		/* NULL: nobody is there */
	History *history;
	HistEvent event;
	char text[KVMI_NAME_SIZE + 8];
	char *line;
	size_t room;
};

static void tell(struct prompt *prompt, const char *news)
{
	if (prompt->edit)
		fputs("\r\033[K", stderr);
	complain(0, "%s", news);
	if (prompt->edit)
		el_set(prompt->edit, EL_REFRESH);
}

/* A signal between the look at it and the wait must not be lost. */
static int wait_unless_stopped(struct pollfd *fds, nfds_t count)
{
	sigset_t all, before;
	int n = -1;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	errno = EINTR;
	if (!is_stopped)
		n = ppoll(fds, count, NULL, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return n;
}

static int wait_for_input(struct prompt *prompt)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .events = POLLIN },
	};
	const char *news;

	do {
		fds[1].fd = kept_get_fd();
		if (wait_unless_stopped(fds, 2) < 0) {
			if (errno == EINTR && !is_stopped)
				continue;
			return -errno;
		}
		news = fds[1].revents ? kept_serve() : NULL;
		if (news)
			tell(prompt, news);
	} while (!fds[0].revents);
	return 0;
}

/* For libedit: 1, 0 at the end, or -1. */
static int read_char(EditLine *edit, wchar_t *to)
{
	mbstate_t state = { 0 };
	struct prompt *prompt;
	ssize_t n;
	char byte;
	size_t r;

	el_get(edit, EL_CLIENTDATA, &prompt);
	do {
		if (wait_for_input(prompt))
			return -1;
		n = read(STDIN_FILENO, &byte, 1);
		if (n <= 0)
			return (int)n;
		r = mbrtowc(to, &byte, 1, &state);
	} while (r == (size_t)-2);
	if (r == (size_t)-1)
		*to = L'?';
	return 1;
}

static char *get_text(EditLine *edit)
{
	const char *name = kept_get_name();
	struct prompt *prompt;

	el_get(edit, EL_CLIENTDATA, &prompt);
	snprintf(prompt->text, sizeof(prompt->text), "%s%s> ",
		 name ? name : "kvmi", kept_is_connected() ? "" : " (away)");
	return prompt->text;
}

static unsigned char complete(EditLine *edit, int key)
{
	const LineInfo *info = el_line(edit);
	struct completion c;

	(void)key;
	complete_line(&c, info->buffer, (size_t)(info->cursor - info->buffer));
	if (!c.count)
		return CC_ERROR;
	if (strlen(c.common) > c.typed)
		el_insertstr(edit, c.common + c.typed);
	if (c.count == 1) {
		el_insertstr(edit, " ");
	} else if (strlen(c.common) == c.typed) {
		fprintf(stderr, "\n%s\n", c.list);
		return CC_REDISPLAY;
	}
	return CC_REFRESH;
}

static void be_person(struct prompt *prompt)
{
	FILE *out = isatty(STDOUT_FILENO) ? stdout : stderr;

	prompt->edit = el_init("kvmi", stdin, out, stderr);
	prompt->history = history_init();
	if (!prompt->edit || !prompt->history)
		return;
	history(prompt->history, &prompt->event, H_SETSIZE, HISTORY_LINES);
	history(prompt->history, &prompt->event, H_SETUNIQUE, 1);
	el_set(prompt->edit, EL_CLIENTDATA, prompt);
	el_set(prompt->edit, EL_EDITOR, "emacs");
	el_set(prompt->edit, EL_PROMPT, get_text);
	el_set(prompt->edit, EL_HIST, history, prompt->history);
	el_set(prompt->edit, EL_GETCFN, read_char);
	/* The narrow form of this one never frees its copies. */
	el_wset(prompt->edit, EL_ADDFN, L"kvmi-complete", L"Complete a word",
		complete);
	el_set(prompt->edit, EL_BIND, "^I", "kvmi-complete", NULL);
	el_set(prompt->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
	el_source(prompt->edit, NULL);
}

struct prompt *prompt_open(void)
{
	struct prompt *prompt = calloc(1, sizeof(*prompt));

	if (prompt && isatty(STDIN_FILENO))
		be_person(prompt);
	return prompt;
}

void prompt_close(struct prompt *prompt)
{
	if (prompt->history)
		history_end(prompt->history);
	if (prompt->edit)
		el_end(prompt->edit);
	free(prompt->line);
	free(prompt);
}

bool prompt_is_person(const struct prompt *prompt)
{
	return prompt->edit;
}

static int edit_line(struct prompt *prompt, char **line)
{
	const char *text;
	int size;

	text = el_gets(prompt->edit, &size);
	if (!text)
		return is_stopped ? -EINTR : 0;
	free(prompt->line);
	prompt->line = strdup(text);
	if (!prompt->line)
		return -ENOMEM;
	if (text[strspn(text, " \t\n")])
		history(prompt->history, &prompt->event, H_ENTER, text);
	prompt->line[strcspn(prompt->line, "\n")] = '\0';
	*line = prompt->line;
	return 1;
}

static int add_byte(struct prompt *prompt, size_t used, char byte)
{
	char *line = prompt->line;

	if (used >= prompt->room) {
		line = realloc(prompt->line, 2 * used + 64);
		if (!line)
			return -ENOMEM;
		prompt->line = line;
		prompt->room = 2 * used + 64;
	}
	line[used] = byte;
	return 0;
}

/* Byte by byte: what a verb reads from the same file is not taken from it. */
static int file_line(struct prompt *prompt, char **line)
{
	size_t used = 0;
	char byte = '\0';
	int err = 0;
	ssize_t n;

	while (!err) {
		err = wait_for_input(prompt);
		n = err ? 0 : read(STDIN_FILENO, &byte, 1);
		if (n < 0)
			err = -errno;
		if (err || (!n && !used))
			return err;
		if (!n || byte == '\n')
			break;
		err = add_byte(prompt, used++, byte);
	}
	if (!err)
		err = add_byte(prompt, used, '\0');
	*line = prompt->line;
	return err ? err : 1;
}

int prompt_read(struct prompt *prompt, char **line)
{
	return prompt->edit ? edit_line(prompt, line) : file_line(prompt, line);
}
