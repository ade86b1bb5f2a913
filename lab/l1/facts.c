// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this level 1 has to be, where the run has a name that says so, and by
 * which exits its guests were left.
 *
 * A line of FACTS is "is FILE=VALUE", for all of its first line, "has
 * FILE=WORD" or "lacks FILE=WORD", for the words in it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

#define EXITS "/sys/kernel/tracing/events/kvm/kvm_exit/"

static bool first_line_is(FILE *f, const char *value)
{
	char line[256];

	if (!fgets(line, sizeof(line), f))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return !strcmp(line, value);
}

static bool has_word(FILE *f, const char *wanted)
{
	char word[128];

	while (fscanf(f, "%127s", word) == 1)
		if (!strcmp(word, wanted))
			return true;
	return false;
}

/* A file that is not there has nothing, and lacks nothing either. */
static bool holds(const char *verb, const char *path, const char *value)
{
	FILE *f = fopen(path, "re");
	bool yes;

	if (!f)
		return false;
	if (!strcmp(verb, "is"))
		yes = first_line_is(f, value);
	else
		yes = has_word(f, value) != !strcmp(verb, "lacks");
	fclose(f);
	return yes;
}

/* Reports what holds, and the first thing that does not. */
bool facts_hold(const char *list)
{
	char verb[8], path[128], value[64];
	FILE *f = fopen(list, "re");
	bool all = true;
	int n = 3;

	if (!f)
		return errno == ENOENT;
	while (all && (n = fscanf(f, " %7s %127[^= ]=%63s", verb, path,
				  value)) == 3) {
		all = holds(verb, path, value);
		report("fact %s %s %s %s", all ? "yes" : "no", path, verb,
		       value);
	}
	fclose(f);
	return all && n == EOF;
}

/* From now on KVM counts them by reason. */
void exits_count(void)
{
	FILE *f = fopen(EXITS "trigger", "we");

	if (!f)
		return;
	fputs("hist:keys=exit_reason", f);
	fclose(f);
}

/* "{ exit_reason:         52 } hitcount:          7" */
void exits_report(void)
{
	unsigned long reason, count;
	FILE *f = fopen(EXITS "hist", "re");
	char line[256];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "{ exit_reason: %lu } hitcount: %lu", &reason,
			   &count) == 2)
			report("exits %lu %lu", reason, count);
	fclose(f);
}
