/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can follow on a command line, out of the verbs and their own help. */
#ifndef KVMI_TOOL_COMPLETE_H
#define KVMI_TOOL_COMPLETE_H

#include "kvmi.h"

struct completion {
	size_t typed;		/* bytes of the last word */
	size_t count;
	char common[64];	/* what all of them begin with */
	char list[2048];	/* all, with blanks between */
};

/* The words that the last one of @line can become. */
void complete_line(struct completion *completion, const char *line,
		   size_t size);
/* A line each: an option of @verb, and the name of its argument if it has one. */
void print_options(const struct verb *verb);

#endif
