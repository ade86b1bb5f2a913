// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors that a test has got, written down for tests/unit/errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proved.h"

void proved_write(const char *variable, const char *word, const char *call,
		  int err)
{
	const char *path = getenv(variable);
	FILE *file;

	if (!path || strncmp(call, "kvmi_", 5))
		return;
	file = fopen(path, "a");
	if (!file)
		return;
	fprintf(file, "%s%.*s %s\n", word, (int)strcspn(call, "("), call,
		strerrorname_np(abs(err)));
	fclose(file);
}
