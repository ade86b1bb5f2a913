/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The runner of level 1: what its files share.
 *
 * Everything it has to say travels over the result port, one line a fact,
 * the first word says which:
 *
 *	hello RELEASE		the runner is up
 *	start NAME LIMIT	a test begins, LIMIT seconds are its due
 *	out TEXT		a line of its output
 *	klog TEXT		a line of the kernel's log meanwhile
 *	dirt TEXT		one that must not be there
 *	ok|notok|skip NAME SECONDS [REASON]
 *	fact yes|no TEXT	something that this level 1 must be
 *	exits REASON COUNT	how often guests were left for it
 *	broken			no further test makes sense here
 *	done COUNT		all tests have reported
 */
#ifndef LAB_RUNNER_H
#define LAB_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* report.c */
int report_open(const char *path);
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_text(const char *tag, const char *text, size_t size);

/* klog.c */
int klog_open(void);
void klog_mark(const char *what, const char *name);
int klog_drain(void);

/* facts.c */
bool facts_hold(const char *list);
void exits_count(void);
void exits_report(void);

/* process.c */
int process_children(void);
void process_list_children(const char *tag);
void process_show_stacks(void);
bool process_kill_all(int milliseconds);

/* runner.c: milliseconds of a steady clock */
long now(void);

#endif
