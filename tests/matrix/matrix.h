/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What live tests must prove, once for each vendor of processors.
 */
#ifndef TESTS_MATRIX_H
#define TESTS_MATRIX_H

#include <stdbool.h>

enum vendor { AMD, INTEL, VENDORS };

enum state { PROVEN, PLANNED, EXCUSED, MISSING };

struct excuse {
	enum vendor vendor;
	char cell[96];		/* with or without the number of vCPUs */
	char reason[256];
};

struct cell {
	char name[96];
	char row[64];
	char column[24];
	const char *milestone;	/* NULL: must be there */
	bool proven[VENDORS];
	struct excuse *excuse[VENDORS];
};

extern const char *const vendor_names[VENDORS];
extern struct cell cells[];
extern int cell_count;
extern struct excuse excuses[];
extern int excuse_count;

/* Makes the cells from include/kvmi/table.h. */
void cells_make(void);
/* Marks what the file reports; returns how many cells are not ours. */
int cells_read(enum vendor vendor, const char *path);
enum state cell_state(const struct cell *cell, enum vendor vendor);
/* A row's cells are one after the other: the first of the next row. */
int cells_next_row(int first);

/* After the cells have been read. Returns how many lines are wrong. */
int excuses_read(const char *path);

/* Prints the rows and what is excused as tables. */
void show(void);

#endif /* TESTS_MATRIX_H */
