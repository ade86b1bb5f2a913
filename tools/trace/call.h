/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call of Linux on x86-64, as text. */
#ifndef KVMI_TOOL_CALL_H
#define KVMI_TOOL_CALL_H

#include <stdbool.h>

#include <kvmi/kvmi.h>

#define CALL_ARGUMENTS	6
#define CALL_NAME	32
#define CALL_STRINGS	8

struct call {
	unsigned int number;
	uint64_t arguments[CALL_ARGUMENTS];
	unsigned int vcpu;	/* that makes it */
	bool has_result;
	int64_t result;
};

/* What could be read of its memory. */
struct call_strings {
	unsigned int count;
	char *text[CALL_STRINGS];	/* the receiver's to free */
};

/* Reads @size bytes or fewer, as the vCPU would; returns how many. */
typedef size_t (*call_read_fn)(void *data, unsigned int vcpu, uint64_t gva,
			       void *to, size_t size);

/* "openat", or "syscall_9999". Returns @name. */
const char *call_name(unsigned int number, char name[CALL_NAME]);
/* The number of a name or the number itself; -ENOENT. */
int call_number(const char *text);
/* How many arguments it has, and what; NULL: not known. */
const char *call_arguments(const char *name);
/*
 * Writes it as 'openat(AT_FDCWD, "/etc/passwd", 0x0, 00)'; what is in memory is
 * read by @read. @strings receives the texts among the arguments.
 */
void call_format(const struct call *call, call_read_fn read, void *data,
		 char *text, size_t room, struct call_strings *strings);
/* "ENOENT" for what the kernel returns of a call that failed, else NULL. */
const char *call_error(int64_t result);
void call_strings_free(struct call_strings *strings);

#endif
