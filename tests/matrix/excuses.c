// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a cell cannot be proven on a vendor's processors: few, each with its
 * reason, and none without need.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

#define MAX_EXCUSES	5	/* of a vendor */

struct excuse excuses[VENDORS * MAX_EXCUSES];
int excuse_count;

/* The name of the cell, or that and the number of vCPUs. */
static bool is_of(const struct excuse *excuse, const struct cell *cell)
{
	size_t length = strlen(excuse->cell);
	const char *rest = cell->name + length;

	return !strncmp(cell->name, excuse->cell, length) &&
	       (!*rest || !strcmp(rest, ":1") || !strcmp(rest, ":2"));
}

static bool parse(struct excuse *excuse, const char *line)
{
	char vendor[8];
	int at = 0;

	if (sscanf(line, "%7s %95s %n", vendor, excuse->cell, &at) != 2 ||
	    !line[at])
		return false;
	snprintf(excuse->reason, sizeof(excuse->reason), "%s", line + at);
	for (excuse->vendor = AMD; excuse->vendor < VENDORS; excuse->vendor++)
		if (!strcmp(vendor, vendor_names[excuse->vendor]))
			return true;
	return false;
}

static int count_of(enum vendor vendor)
{
	int i, count = 0;

	for (i = 0; i < excuse_count; i++)
		count += excuses[i].vendor == vendor;
	return count;
}

/* Returns what is wrong with it, or NULL. */
static const char *use(struct excuse *excuse)
{
	const char *wrong = "is of no cell";
	int i;

	for (i = 0; i < cell_count; i++) {
		if (!is_of(excuse, &cells[i]))
			continue;
		if (cells[i].proven[excuse->vendor])
			return "is not needed";
		if (cells[i].excuse[excuse->vendor])
			return "is there twice";
		cells[i].excuse[excuse->vendor] = excuse;
		wrong = NULL;
	}
	return wrong;
}

static const char *add(const char *line)
{
	struct excuse excuse = { 0 };

	if (!parse(&excuse, line))
		return "is no vendor, cell and reason";
	if (count_of(excuse.vendor) == MAX_EXCUSES)
		return "is one too many";
	excuses[excuse_count] = excuse;
	return use(&excuses[excuse_count++]);
}

int excuses_read(const char *path)
{
	FILE *file = fopen(path, "r");
	const char *what;
	char line[512];
	int wrong = 0;

	if (!file) {
		fprintf(stderr, "matrix: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!line[0] || line[0] == '#')
			continue;
		what = add(line);
		if (!what)
			continue;
		printf("the excuse %s: %s\n", what, line);
		wrong++;
	}
	fclose(file);
	return wrong;
}
