/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of one thing: a table of names and values, without a heading. */
#ifndef KVMI_TOOL_FACTS_H
#define KVMI_TOOL_FACTS_H

#include <stdio.h>

struct libscols_table;

/* NULL: no memory, which the others take. */
struct libscols_table *facts_new(void);
__attribute__((format(printf, 3, 4)))
void facts_add(struct libscols_table *facts, const char *name,
	       const char *format, ...);
/* Prints and frees it. */
void facts_print(struct libscols_table *facts, FILE *to);

#endif
