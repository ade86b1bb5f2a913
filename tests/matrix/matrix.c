// SPDX-License-Identifier: GPL-2.0-only
/*
 * The matrix of what live tests must prove, made from the table of messages:
 *
 *	matrix				lists the cells
 *	matrix AMD INTEL EXCUSES	compares with the cells that tests
 *					reported on the two vendors' processors
 *
 * The cells of a vCPU's rows end with 1 or 2, the number of vCPUs. A line of
 * AMD or INTEL begins with a cell; what follows, the name of the test, is not
 * looked at. A line of EXCUSES is a vendor, a cell and the reason why it is
 * empty. Fails when a cell is empty that is neither planned nor excused, when a
 * test reported one that the table does not have, and for an excuse that is not
 * needed.
 */
#include <stdio.h>

#include "matrix.h"

static int list(void)
{
	int i;

	for (i = 0; i < cell_count; i++)
		printf("%s%s%s\n", cells[i].name,
		       cells[i].milestone ? " planned: " : "",
		       cells[i].milestone ? cells[i].milestone : "");
	return 0;
}

static void count(int counts[MISSING + 1])
{
	enum vendor vendor;
	enum state state;
	int i;

	for (vendor = AMD; vendor < VENDORS; vendor++) {
		for (i = 0; i < cell_count; i++) {
			state = cell_state(&cells[i], vendor);
			counts[state]++;
			if (state == MISSING)
				printf("MISSING on %s: %s\n",
				       vendor_names[vendor], cells[i].name);
		}
	}
}

static int judge(int wrong)
{
	int counts[MISSING + 1] = { 0 };

	count(counts);
	wrong += counts[MISSING];
	printf("matrix: %d passed, %d failed, %d skipped; %d planned\n",
	       counts[PROVEN], wrong, counts[EXCUSED], counts[PLANNED]);
	return !!wrong;
}

int main(int argc, char **argv)
{
	int wrong;

	cells_make();
	if (argc == 1)
		return list();
	if (argc != 4) {
		fputs("usage: matrix [AMD INTEL EXCUSES]\n", stderr);
		return 2;
	}
	wrong = cells_read(AMD, argv[1]);
	wrong += cells_read(INTEL, argv[2]);
	wrong += excuses_read(argv[3]);
	show();
	return judge(wrong);
}
