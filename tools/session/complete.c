// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can follow on a command line. The texts of the help are the only list of
 * options: its lines begin with them.
 */
#include <ctype.h>
#include <stdlib.h>

#include "complete.h"

#define BLANKS	" \t"

/* Calls @take for each long option, with its argument or an empty text. */
static void each_option(const char *help,
			void (*take)(void *data, const char *name,
				     const char *argument), void *data)
{
	char name[32], argument[32];
	const char *at;
	int end;

	for (at = help; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		at += strspn(at, " ");
		/* As "-s, --socket". */
		if (at[0] == '-' && at[1] != '-')
			at += strcspn(at, " ") + 1;
		*argument = '\0';
		if (sscanf(at, "--%29[a-z-]%n", name, &end) != 1)
			continue;
		/* What is behind two blanks explains it. */
		if (at[end] == ' ' && isupper((unsigned char)at[end + 1]))
			sscanf(at + end, "%31s", argument);
		take(data, name, argument);
	}
}

static void each_option_of(const struct verb *verb,
			   void (*take)(void *data, const char *name,
					const char *argument), void *data)
{
	each_option(verb->help, take, data);
	each_option(common_help, take, data);
}

static void print_option(void *data, const char *name, const char *argument)
{
	(void)data;
	printf("--%s%s%s\n", name, *argument ? " " : "", argument);
}

void print_options(const struct verb *verb)
{
	each_option_of(verb, print_option, NULL);
}

struct want {
	struct completion *completion;
	const char *typed;
};

static void offer(struct want *want, const char *word)
{
	struct completion *c = want->completion;
	size_t i = 0, used = strlen(c->list);

	if (strncmp(word, want->typed, c->typed))
		return;
	if (!c->count++)
		snprintf(c->common, sizeof(c->common), "%s", word);
	while (word[i] && c->common[i] == word[i])
		i++;
	c->common[i] = '\0';
	snprintf(c->list + used, sizeof(c->list) - used, "%s%s",
		 used ? "  " : "", word);
}

static void offer_option(void *data, const char *name, const char *argument)
{
	char word[40];

	(void)argument;
	snprintf(word, sizeof(word), "--%s", name);
	offer(data, word);
}

static void offer_verbs(struct want *want)
{
	size_t i;

	for (i = 0; verb_at(i); i++)
		offer(want, verb_at(i)->name);
	offer(want, "help");
	offer(want, "quit");
}

/* The word that says what the last one is about, and that one, cut at the end. */
static char *split(char *line, const char **verb)
{
	char *word = line + strspn(line, BLANKS), *end;

	*verb = NULL;
	while (*(end = word + strcspn(word, BLANKS))) {
		*end = '\0';
		if (!strcmp(word, ","))
			*verb = NULL;
		else if (!*verb || !strcmp(*verb, "help"))
			*verb = word;
		word = end + 1 + strspn(end + 1, BLANKS);
	}
	return word;
}

void complete_line(struct completion *completion, const char *line,
		   size_t size)
{
	struct want want = { .completion = completion };
	char *copy = strndup(line, size);
	const char *verb;

	*completion = (struct completion){ 0 };
	if (!copy)
		return;
	want.typed = split(copy, &verb);
	completion->typed = strlen(want.typed);
	if (!verb || !strcmp(verb, "help"))
		offer_verbs(&want);
	else if (*want.typed == '-' && verb_find(verb))
		each_option_of(verb_find(verb), offer_option, &want);
	free(copy);
}
