/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of an ISF file, each written as soon as it is made. */
#ifndef KVMI_PROFILE_ISF_H
#define KVMI_PROFILE_ISF_H

#include <json-c/json.h>

#include "inside.h"

struct isf {
	const struct profile *profile;
	FILE *to;
	bool is_first;		/* in its section */
	char **names;		/* of structures, unions and enums, by id */
	uint32_t count;		/* of types */
	size_t budget;		/* of fields */
};

/* Begins a section, as "symbols": {. */
void isf_begin(struct isf *isf, const char *section);
/* Writes a member of the section and takes @value. */
void isf_add(struct isf *isf, const char *name, struct json_object *value);
void isf_end(struct isf *isf, bool is_last);

/* isf-types.c */
/* Gives each type a name of its own. Returns 0 or -ENOMEM. */
int isf_name_types(struct isf *isf);
void isf_free_names(struct isf *isf);
/* { "kind": ..., "name": ... } of a type. */
struct json_object *isf_type(const struct isf *isf, uint32_t id, int depth);
void isf_write_base_types(struct isf *isf);
void isf_write_user_types(struct isf *isf);
void isf_write_enums(struct isf *isf);

/* isf-symbols.c: returns 0 or -ENOMEM. */
int isf_write_symbols(struct isf *isf);

#endif
