// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cells, made from the table of messages, and what tests report of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kvmi/table.h>

#include "matrix.h"

#define MAX_CELLS	512

const char *const vendor_names[VENDORS] = { "amd", "intel" };
struct cell cells[MAX_CELLS];
int cell_count;

static void add(const char *kind, const char *row, const char *column,
		const char *milestone)
{
	struct cell *cell = &cells[cell_count++];

	if (cell_count > MAX_CELLS) {
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

void cells_make(void)
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

/*
 * Returns false if there is no such cell. One that a test found impossible on
 * its host is as empty as any other.
 */
static bool mark(enum vendor vendor, const char *name)
{
	static const char skip[] = "skip:";
	bool skipped = !strncmp(name, skip, strlen(skip));
	int i;

	if (skipped)
		name += strlen(skip);
	for (i = 0; i < cell_count && strcmp(cells[i].name, name); i++)
		;
	if (i == cell_count)
		return false;
	if (!skipped)
		cells[i].proven[vendor] = true;
	return true;
}

int cells_read(enum vendor vendor, const char *path)
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
		if (!line[0] || mark(vendor, line))
			continue;
		printf("not in the table: %s\n", line);
		strangers++;
	}
	fclose(file);
	return strangers;
}

enum state cell_state(const struct cell *cell, enum vendor vendor)
{
	if (cell->proven[vendor])
		return PROVEN;
	if (cell->milestone)
		return PLANNED;
	return cell->excuse[vendor] ? EXCUSED : MISSING;
}

int cells_next_row(int first)
{
	int i = first;

	while (i < cell_count && !strcmp(cells[i].row, cells[first].row))
		i++;
	return i;
}
