// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Write symbols and types as Volatility 3 reads them, its "intermediate symbol
 * format" 6.2.0. As one tree it would need half a GiB, so it is written a type
 * and a symbol at a time.
 */
#include <errno.h>
#include <stdlib.h>

#include "isf.h"

void isf_begin(struct isf *isf, const char *section)
{
	fprintf(isf->to, "  \"%s\": {", section);
	isf->is_first = true;
}

void isf_add(struct isf *isf, const char *name, struct json_object *value)
{
	struct json_object *key = json_object_new_string(name);
	const int flags = JSON_C_TO_STRING_PLAIN |
			  JSON_C_TO_STRING_NOSLASHESCAPE;

	fprintf(isf->to, "%s\n    %s: ", isf->is_first ? "" : ",",
		json_object_to_json_string_ext(key, flags));
	fputs(json_object_to_json_string_ext(value, flags), isf->to);
	isf->is_first = false;
	json_object_put(key);
	json_object_put(value);
}

void isf_end(struct isf *isf, bool is_last)
{
	fprintf(isf->to, "\n  }%s\n", is_last ? "" : ",");
}

static struct json_object *producer(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "name", json_object_new_string("kvmi"));
	json_object_object_add(o, "version",
			       json_object_new_string(KVMI_PROFILE_VERSION));
	return o;
}

/* Where symbols and types come from. No path and no time: it is the kernel. */
static struct json_object *source(void)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "symbols", json_object_new_array());
	json_object_object_add(o, "types", json_object_new_array());
	return o;
}

static void write_metadata(struct isf *isf)
{
	isf_begin(isf, "metadata");
	isf_add(isf, "format", json_object_new_string("6.2.0"));
	isf_add(isf, "producer", producer());
	isf_add(isf, "linux", source());
	isf_end(isf, false);
}

int profile_write_isf(const struct profile *p, FILE *to)
{
	struct isf isf = { .profile = p, .to = to, .budget = TYPE_BUDGET };
	int err;

	if (!p->types)
		return -ENODATA;
	err = isf_name_types(&isf);
	if (!err) {
		fputs("{\n", to);
		write_metadata(&isf);
		isf_write_base_types(&isf);
		isf_write_user_types(&isf);
		isf_write_enums(&isf);
		err = isf_write_symbols(&isf);
		fputs("}\n", to);
	}
	isf_free_names(&isf);
	return err ? err : stream_error(to);
}
