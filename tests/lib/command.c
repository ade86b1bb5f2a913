// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kvmi command, as people run it.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "command.h"
#include "test.h"

static void __attribute__((format(printf, 2, 0)))
start(struct command *command, const char *format, va_list args)
{
	char line[512];
	int fds[2], size;

	size = snprintf(line, sizeof(line), "exec kvmi ");
	size += vsnprintf(line + size, sizeof(line) - size, format, args);
	expect_true(size < (int)sizeof(line));
	command->used = 0;
	must(pipe(fds));
	fflush(NULL);
	command->pid = must(fork());
	if (!command->pid) {
		/* It ends with the test, however that ends. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execl("/bin/sh", "sh", "-c", line, NULL);
		_exit(127);
	}
	close(fds[1]);
	command->fd = fds[0];
}

void command_start(struct command *command, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	start(command, format, args);
	va_end(args);
}

/* Returns false at the end, or if nothing comes. */
static bool read_some(struct command *command, int ms)
{
	struct pollfd p = { .fd = command->fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, ms) == 0)
		return false;
	/* One byte is for the end of the text. */
	expect_true(command->used + 1 < (int)sizeof(command->buffer));
	n = must(read(command->fd, command->buffer + command->used,
		      sizeof(command->buffer) - 1 - command->used));
	command->used += n;
	return n > 0;
}

const char *command_line(struct command *command, int ms)
{
	static char line[16384];
	char *end;
	int size;

	while (!(end = memchr(command->buffer, '\n', command->used)))
		if (!read_some(command, ms))
			return NULL;
	size = end - command->buffer;
	expect_true(size < (int)sizeof(line));
	memcpy(line, command->buffer, size);
	line[size] = '\0';
	command->used -= size + 1;
	memmove(command->buffer, end + 1, command->used);
	return line;
}

int command_wait(struct command *command)
{
	int status = wait_child(command->pid);

	close(command->fd);
	return status;
}

const char *command_output(int status, const char *format, ...)
{
	static struct command command;
	va_list args;
	int got;

	va_start(args, format);
	start(&command, format, args);
	va_end(args);
	while (read_some(&command, DEADLINE_MS))
		;
	got = command_wait(&command);
	if (status >= 0)
		expect(status, got);
	command.buffer[command.used] = '\0';
	return command.buffer;
}
