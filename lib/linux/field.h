/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where fields of the kernel's structures begin, and its symbols, which have no
 * dot in their names: each is looked up once.
 */
#ifndef KVMI_LINUX_FIELD_H
#define KVMI_LINUX_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_COUNT_MAX 128

struct field_value {
	char *name;		/* "task_struct.comm" */
	int err;
	uint64_t offset;
};

struct field_values {
	struct field_value list[FIELD_COUNT_MAX];
	size_t count;
};

/* NULL: it was not looked up yet. */
struct field_value *fields_find(struct field_values *fields, const char *name);
/* As much as there is room for. */
void fields_keep(struct field_values *fields, const char *name, int err,
		 uint64_t offset);
void fields_free(struct field_values *fields);

#endif
