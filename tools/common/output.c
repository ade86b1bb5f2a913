// SPDX-License-Identifier: GPL-2.0-or-later
/* Words, numbers and bytes for people and for programs. */
#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kvmi.h"

#define LINE 16

void complain(int err, const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("kvmi: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (err)
		fprintf(stderr, ": %s (error %d)", kvmi_strerror(err), -err);
	fputc('\n', stderr);
}

static void print_line(uint64_t gpa, const uint8_t *data, size_t size)
{
	size_t i;

	printf("%016" PRIx64 " ", gpa);
	for (i = 0; i < LINE; i++) {
		if (i == LINE / 2)
			putchar(' ');
		if (i < size)
			printf(" %02x", data[i]);
		else
			fputs("   ", stdout);
	}
	fputs("  |", stdout);
	for (i = 0; i < size; i++)
		putchar(data[i] >= ' ' && data[i] < 0x7f ? data[i] : '.');
	puts("|");
}

void print_hexdump(uint64_t gpa, const uint8_t *data, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += LINE)
		print_line(gpa + i, data + i, size - i < LINE ? size - i : LINE);
}

void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object,
					    JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_SPACED |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

struct json_object *json_hex(const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	struct json_object *object;
	char *text;
	size_t i;

	text = malloc(2 * size + 1);
	if (!text)
		return NULL;
	for (i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	object = json_object_new_string_len(text, (int)(2 * size));
	free(text);
	return object;
}

/* Not a number: many readers of JSON have only 53 bits for those. */
struct json_object *json_gpa(uint64_t gpa)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, gpa);
	return json_object_new_string(text);
}

const char *printable(char *to, size_t room, const char *from, size_t size)
{
	size_t i;

	for (i = 0; i < size && i + 1 < room; i++)
		to[i] = iscntrl((unsigned char)from[i]) ? '?' : from[i];
	to[i] = '\0';
	return to;
}
