// SPDX-License-Identifier: LGPL-2.1-or-later
/* Write a System.map. */
#include <errno.h>
#include <inttypes.h>

#include "inside.h"

int stream_error(FILE *to)
{
	if (!fflush(to) && !ferror(to))
		return 0;
	return errno ? -errno : -EIO;
}

int profile_write_map(const struct profile *p, FILE *to, uint64_t add)
{
	const struct symbol *s = p->symbols.list;
	size_t i;

	for (i = 0; i < p->symbols.count; i++, s++)
		fprintf(to, "%016" PRIx64 " %c %s\n",
			s->address + (s->is_absolute ? 0 : add), s->type,
			s->name);
	return stream_error(to);
}
