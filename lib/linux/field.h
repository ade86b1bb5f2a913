/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where fields of the kernel's structures begin, each looked up once. */
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

void fields_free(struct field_values *fields);

#endif
