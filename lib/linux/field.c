// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fields of the kernel's structures. A search among all its types takes a while,
 * so what it found is kept, also that there is no such field.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "within.h"

struct field_value *fields_find(struct field_values *fields, const char *name)
{
	size_t i;

	for (i = 0; i < fields->count; i++)
		if (!strcmp(fields->list[i].name, name))
			return &fields->list[i];
	return NULL;
}

void fields_keep(struct field_values *fields, const char *name, int err,
		 uint64_t offset)
{
	struct field_value *value = &fields->list[fields->count];

	if (fields->count == FIELD_COUNT_MAX)
		return;
	*value = (struct field_value){ strdup(name), err, offset };
	fields->count += !!value->name;
}

int linux_offset(struct linux_guest *guest, const char *structure,
		 const char *field, uint64_t *offset)
{
	const struct field_value *known;
	char name[128];
	int err;

	snprintf(name, sizeof(name), "%s.%s", structure, field);
	known = fields_find(&guest->fields, name);
	if (known) {
		*offset = known->offset;
		return known->err;
	}
	*offset = 0;
	err = profile_offset(guest->profile, structure, field, offset);
	fields_keep(&guest->fields, name, err, *offset);
	return err;
}

int field_read(struct linux_guest *guest, uint64_t object,
	       const char *structure, const char *field, void *to, size_t size)
{
	uint64_t offset;
	int err = linux_offset(guest, structure, field, &offset);

	return err ? err : memory_read(guest, object + offset, to, size);
}

int linux_read_field(struct linux_guest *guest, uint64_t object,
		     const char *structure, const char *field,
		     void *to, size_t size)
{
	memory_ask(guest);
	return field_read(guest, object, structure, field, to, size);
}

void fields_free(struct field_values *fields)
{
	size_t i;

	for (i = 0; i < fields->count; i++)
		free(fields->list[i].name);
	fields->count = 0;
}
