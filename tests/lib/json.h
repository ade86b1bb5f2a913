/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kvmi command says with --json: what is not there fails the test. */
#ifndef TESTS_LIB_JSON_H
#define TESTS_LIB_JSON_H

#include <stdint.h>

#include <json-c/json.h>

/* The caller puts it; NULL is no JSON. */
struct json_object *json_parse(const char *text);
/* Valid as long as the object; NULL, and json_text() of it, is JSON's null. */
struct json_object *json_field(struct json_object *object, const char *name);
const char *json_text(struct json_object *object, const char *name);
/* Numbers that JSON cannot hold are strings. */
uint64_t json_number(struct json_object *object, const char *name);

#endif /* TESTS_LIB_JSON_H */
