// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "json.h"
#include "test.h"

json_object *json_parse(const char *text)
{
	json_object *object = text ? json_tokener_parse(text) : NULL;

	if (!object)
		fail("this is no JSON: %s", text);
	return object;
}

json_object *json_field(json_object *object, const char *name)
{
	json_object *value;

	if (!json_object_object_get_ex(object, name, &value))
		fail("there is no %s", name);
	return value;
}

const char *json_text(json_object *object, const char *name)
{
	return json_object_get_string(json_field(object, name));
}

uint64_t json_number(json_object *object, const char *name)
{
	const char *text = json_text(object, name);

	if (!text)
		fail("%s is null", name);
	return strtoull(text, NULL, 0);
}
