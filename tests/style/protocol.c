// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the table in the words of docs/protocol.rst, one row a line.
 */
#include <stdio.h>
#include <string.h>

#include <linux/kvmi.h>
#include <kvmi/table.h>

#define ALWAYS	" always"
#define TAIL	" tail"
#define NONE	""

/* Each word of the list with what stands before it in the page. */
static void print_words(const char *before, const char *words)
{
	char copy[128], *word;

	snprintf(copy, sizeof(copy), "%s", *words ? words : "none");
	if (!*words)
		before = "";
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		printf(" %s%s", before, word);
}

static void print_message(const char *name, int id, int request, int reply,
			  const char *flags, const char *errors,
			  const char *state)
{
	printf("message %s %d in %d out %d%s errors", name, id, request, reply,
	       flags);
	print_words("-KVM_", errors);
	printf("%s\n", state);
}

static void print_event(const char *name, int id, int data, int reply,
			const char *actions, const char *state)
{
	printf("event %s %d in %d out %d actions", name, id, data, reply);
	print_words("", actions);
	printf("%s\n", state);
}

static void print_ioctl(const char *name, const char *errors)
{
	printf("ioctl KVM_INTROSPECTION_%s errors", name);
	print_words("", errors);
	putchar('\n');
}

#define MESSAGE(NAME, stem, scope, request, reply, flags, errors) \
	print_message("KVMI_" #NAME, KVMI_##NAME, request, reply, flags, \
		      errors, "");
#define MESSAGE_PLANNED(NAME, stem, scope, request, reply, flags, errors, m) \
	print_message("KVMI_" #NAME, KVMI_##NAME, request, reply, flags, \
		      errors, " planned");
#define EVENT(NAME, stem, scope, data, reply, actions) \
	print_event("KVMI_" #NAME, KVMI_##NAME, data, reply, actions, "");
#define EVENT_PLANNED(NAME, stem, scope, data, reply, actions, m) \
	print_event("KVMI_" #NAME, KVMI_##NAME, data, reply, actions, \
		    " planned");
#define IOCTL(NAME, errors) print_ioctl(#NAME, errors);
#define COMMON(name, error) puts("rule " #name " -KVM_" error);
#define COMMON_PLANNED(name, error, m) \
	puts("rule " #name " -KVM_" error " planned");
#define CLOSING(name) puts("rule " #name);
#define CLOSING_PLANNED(name, m) puts("rule " #name " planned");

int main(void)
{
	KVMI_MESSAGES(MESSAGE)
	KVMI_MESSAGES_PLANNED(MESSAGE_PLANNED)
	KVMI_EVENTS(EVENT)
	KVMI_EVENTS_PLANNED(EVENT_PLANNED)
	KVMI_IOCTLS(IOCTL)
	KVMI_COMMON_ERRORS(COMMON)
	KVMI_COMMON_ERRORS_PLANNED(COMMON_PLANNED)
	KVMI_CLOSING_RULES(CLOSING)
	KVMI_CLOSING_RULES_PLANNED(CLOSING_PLANNED)
	return 0;
}
