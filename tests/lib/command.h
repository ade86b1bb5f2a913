/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kvmi command, as people run it; what it complains of is in the test's log.
 */
#ifndef TESTS_LIB_COMMAND_H
#define TESTS_LIB_COMMAND_H

#include <stdbool.h>

struct command {
	int pid;
	int fd;			/* its output */
	int used;
	char buffer[65536];
};

/* "kvmi" and these words, after a shell looked at them. */
void __attribute__((format(printf, 2, 3)))
command_start(struct command *command, const char *format, ...);
/*
 * The next line of its output without the end, valid until the next call.
 * NULL: it came to no end within ms, or there is no more.
 */
const char *command_line(struct command *command, int ms);
/* The exit status as of wait_child(); what was not read of its output is lost. */
int command_wait(struct command *command);

/*
 * Runs it to its end, which must be with this exit status, or any if that is
 * negative; returns all its output, valid until the next call.
 */
const char *__attribute__((format(printf, 2, 3)))
command_output(int status, const char *format, ...);

#endif /* TESTS_LIB_COMMAND_H */
