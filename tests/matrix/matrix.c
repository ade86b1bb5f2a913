// SPDX-License-Identifier: GPL-2.0-only
/*
 * The matrix of what live tests must prove, made from the table of messages:
 *
 *	matrix		lists the cells
 *	matrix FILE	compares with the cells that tests reported
 *
 * The cells of a vCPU's rows end with 1 or 2, the number of vCPUs. A line of
 * FILE begins with a cell; what follows, the name of the test, is not looked at.
 * With "skip:" before it the test says that this host cannot produce it, which
 * counts unless another test has. Fails when a cell is missing that no milestone
 * still owns, or when a test reported one that the table does not have.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kvmi/table.h>

#define MAX_CELLS	512

struct cell {
	char name[96];
	char row[64];
	char column[24];
	const char *milestone;	/* NULL: must be there */
	bool passed;
	bool skipped;
};

static struct cell cells[MAX_CELLS];
static int count;

static void add(const char *kind, const char *row, const char *column,
		const char *milestone)
{
	struct cell *cell = &cells[count++];

	if (count > MAX_CELLS) {
		fputs("matrix: too many cells\n", stderr);
		exit(2);
	}
	snprintf(cell->row, sizeof(cell->row), "%s:%s", kind, row);
	snprintf(cell->column, sizeof(cell->column), "%s", column);
	snprintf(cell->name, sizeof(cell->name), "%s:%s%s%s", kind, row,
		 *column ? ":" : "", column);
	cell->milestone = milestone;
}

/* What is said of a vCPU is to be shown with one and with two. */
static void add_both(const char *kind, const char *row, const char *column,
		     const char *milestone)
{
	char copy[24];
	int vcpus;

	if (strncmp(row, "VCPU_", 5)) {
		add(kind, row, column, milestone);
		return;
	}
	for (vcpus = 1; vcpus <= 2; vcpus++) {
		snprintf(copy, sizeof(copy), "%s:%d", column, vcpus);
		add(kind, row, copy, milestone);
	}
}

/* The cells for first and for each word. */
static void add_row(const char *kind, const char *row, const char *first,
		    const char *words, const char *milestone)
{
	char copy[128], *word;

	add_both(kind, row, first, milestone);
	snprintf(copy, sizeof(copy), "%s", words);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		add_both(kind, row, word, milestone);
}

static void add_table(void)
{
#define MESSAGE(NAME, stem, scope, request, reply, flags, errors) \
	add_row("message", #NAME, "ok", errors, NULL);
#define MESSAGE_PLANNED(NAME, stem, scope, request, reply, flags, errors, m) \
	add_row("message", #NAME, "ok", errors, m);
#define EVENT(NAME, stem, scope, data, reply, actions) \
	add_row("event", #NAME, "sent", actions, NULL);
#define EVENT_PLANNED(NAME, stem, scope, data, reply, actions, m) \
	add_row("event", #NAME, "sent", actions, m);
#define COMMON(name, error) add("common", #name, "", NULL);
#define COMMON_PLANNED(name, error, m) add("common", #name, "", m);
#define IOCTL(NAME, errors) add_row("ioctl", #NAME, "ok", errors, NULL);
#define CLOSING(name) add("closing", #name, "", NULL);
#define CLOSING_PLANNED(name, m) add("closing", #name, "", m);
	KVMI_IOCTLS(IOCTL)
	KVMI_COMMON_ERRORS(COMMON)
	KVMI_COMMON_ERRORS_PLANNED(COMMON_PLANNED)
	KVMI_MESSAGES(MESSAGE)
	KVMI_MESSAGES_PLANNED(MESSAGE_PLANNED)
	KVMI_EVENTS(EVENT)
	KVMI_EVENTS_PLANNED(EVENT_PLANNED)
	KVMI_CLOSING_RULES(CLOSING)
	KVMI_CLOSING_RULES_PLANNED(CLOSING_PLANNED)
}

/* Returns false if there is no such cell. */
static bool mark(const char *name)
{
	static const char skip[] = "skip:";
	bool skipped = !strncmp(name, skip, strlen(skip));
	int i;

	if (skipped)
		name += strlen(skip);
	for (i = 0; i < count && strcmp(cells[i].name, name); i++)
		;
	if (i == count)
		return false;
	if (skipped)
		cells[i].skipped = true;
	else
		cells[i].passed = true;
	return true;
}

/* Marks what the file reports; returns how many cells are not ours. */
static int read_cells(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];
	int strangers = 0;

	if (!file) {
		fprintf(stderr, "matrix: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, " \t\n")] = '\0';
		if (!line[0] || mark(line))
			continue;
		printf("not in the table: %s\n", line);
		strangers++;
	}
	fclose(file);
	return strangers;
}

static const char *state(const struct cell *cell)
{
	if (cell->passed)
		return "passed";
	if (cell->milestone)
		return "planned";
	return cell->skipped ? "skipped" : "MISSING";
}

/* The cells of one row on one line: what passed and what is missing by name. */
static int print_row(int i)
{
	const char *shown = NULL;
	int j;

	printf("  %-34s", cells[i].row);
	for (j = i; j < count && !strcmp(cells[j].row, cells[i].row); j++) {
		if (shown != state(&cells[j]))
			printf(" %s", shown = state(&cells[j]));
		if (*cells[j].column)
			printf(" %s", cells[j].column);
	}
	if (!strcmp(state(&cells[j - 1]), "planned"))
		printf(" (%s)", cells[j - 1].milestone);
	putchar('\n');
	return j;
}

static int judge(int strangers)
{
	int i, passed = 0, planned = 0, skipped = 0, missing = 0;

	for (i = 0; i < count; i++) {
		if (cells[i].passed)
			passed++;
		else if (cells[i].milestone)
			planned++;
		else if (cells[i].skipped)
			skipped++;
		else
			missing++;
	}
	for (i = 0; i < count; i++)
		if (!strcmp(state(&cells[i]), "MISSING"))
			printf("MISSING: %s\n", cells[i].name);
	printf("matrix: %d passed, %d failed, %d skipped; %d planned\n", passed,
	       missing + strangers, skipped, planned);
	return missing || strangers;
}

int main(int argc, char **argv)
{
	int i, strangers;

	add_table();
	if (argc == 1) {
		for (i = 0; i < count; i++)
			printf("%s%s%s\n", cells[i].name,
			       cells[i].milestone ? " planned: " : "",
			       cells[i].milestone ? cells[i].milestone : "");
		return 0;
	}
	strangers = read_cells(argv[1]);
	for (i = 0; i < count; )
		i = print_row(i);
	return judge(strangers);
}
