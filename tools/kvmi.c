// SPDX-License-Identifier: GPL-2.0-or-later
/* The kvmi command: a table of verbs. */
#include <locale.h>
#include <stdlib.h>

#include "complete.h"

#define VERB_ENTRY(name) &verb_##name,
static const struct verb *const verbs[] = { VERBS(VERB_ENTRY) };

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

const struct verb *verb_find(const char *name)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

const struct verb *verb_at(size_t index)
{
	return index < VERB_COUNT ? verbs[index] : NULL;
}

static void print_help(FILE *out)
{
	size_t i;

	fputs("Usage: kvmi VERB [OPTION...] [ARGUMENT...] [, VERB...]...\n"
	      "Look inside a virtual machine of KVM from outside.\n\n", out);
	for (i = 0; i < VERB_COUNT; i++)
		fprintf(out, "  %-9s %s\n", verbs[i]->name, verbs[i]->summary);
	fputs("  help      Explain a verb: kvmi help VERB\n\n"
	      "The VM's QEMU connects to the socket that kvmi listens on, so its\n"
	      "chardev needs reconnect=. Begin with 'kvmi doctor'; see kvmi(1).\n",
	      out);
}

static const struct verb *find_or_complain(const char *name)
{
	const struct verb *verb = verb_find(name);

	if (!verb)
		complain(0, "there is no verb '%s'; 'kvmi help' lists them",
			 name);
	return verb;
}

/* For the completion of shells, which is not explained. */
static int list_verbs(void)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++)
		puts(verbs[i]->name);
	return EXIT_DONE;
}

int help(int argc, char **argv)
{
	bool is_listing = argc == 3 && !strcmp(argv[1], "--options");
	const struct verb *verb;

	if (argc < 2) {
		print_help(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--verbs"))
		return list_verbs();
	verb = find_or_complain(argv[is_listing ? 2 : 1]);
	if (!verb)
		return EXIT_USAGE;
	if (is_listing)
		print_options(verb);
	else
		print_verb_help(verb, stdout);
	return EXIT_DONE;
}

static int version(void)
{
	printf("kvmi %s, library %s, protocol version %d\n", KVMI_TOOL_VERSION,
	       kvmi_library_version(), KVMI_VERSION);
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	setlocale(LC_ALL, "");
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "-h"))
		return help(argc - 1, argv + 1);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))
		return version();

	return verbs_run(argc - 1, argv + 1);
}
