// SPDX-License-Identifier: GPL-2.0-or-later
/* A system call as text, with what its arguments point to. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <seccomp.h>

#include "call.h"

#define TEXT_MAX	256	/* of what is in memory */
#define BYTES_MAX	32
#define VECTOR_MAX	8
#define CALLS_MAX	4096	/* numbers that make sense */
#define FDCWD		(-100)
#define ERRNO_MAX	4095
#define ERESTARTSYS	512	/* of the kernel's own */

struct writer {
	const struct call *call;
	call_read_fn read;
	void *data;
	char *text;
	size_t room, used;
	struct call_strings *strings;
};

__attribute__((format(printf, 2, 3)))
static void add(struct writer *w, const char *format, ...)
{
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(w->text + w->used, w->room - w->used, format, args);
	va_end(args);
	w->used += size > 0 ? (size_t)size : 0;
	if (w->used >= w->room)
		w->used = w->room - 1;
}

/* The guest chooses these bytes: a terminal gets no control characters. */
static void add_quoted(struct writer *w, const char *bytes, size_t size,
		       bool is_cut)
{
	size_t i;

	add(w, "\"");
	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		if (c == '"' || c == '\\')
			add(w, "\\%c", c);
		else if (c == '\n')
			add(w, "\\n");
		else if (c >= ' ' && c < 0x7f)
			add(w, "%c", c);
		else
			add(w, "\\x%02x", c);
	}
	add(w, is_cut ? "\"..." : "\"");
}

static void keep(struct writer *w, const char *bytes, size_t size)
{
	struct call_strings *s = w->strings;
	char *text;
	size_t i;

	if (s->count == CALL_STRINGS)
		return;
	text = strndup(bytes, size);
	/* What is no ASCII may be no UTF-8. */
	for (i = 0; text && text[i]; i++)
		if (!isprint((unsigned char)text[i]))
			text[i] = '?';
	if (text)
		s->text[s->count++] = text;
}

/* What is not in memory yet the kernel will fetch: its address is shown. */
static void add_address(struct writer *w, uint64_t gva)
{
	if (gva)
		add(w, "0x%" PRIx64, gva);
	else
		add(w, "NULL");
}

static void add_string(struct writer *w, uint64_t gva)
{
	char bytes[TEXT_MAX];
	size_t size, length;

	size = gva ? w->read(w->data, w->call->vcpu, gva, bytes, TEXT_MAX) : 0;
	if (!size) {
		add_address(w, gva);
		return;
	}
	length = strnlen(bytes, size);
	add_quoted(w, bytes, length, length == size);
	keep(w, bytes, length);
}

static void add_bytes(struct writer *w, uint64_t gva, uint64_t wanted)
{
	size_t size = wanted < BYTES_MAX ? (size_t)wanted : BYTES_MAX;
	char bytes[BYTES_MAX];

	if (gva && size)
		size = w->read(w->data, w->call->vcpu, gva, bytes, size);
	if (!gva || (wanted && !size))
		add_address(w, gva);
	else
		add_quoted(w, bytes, size, size < wanted);
}

static void add_vector(struct writer *w, uint64_t gva)
{
	uint64_t texts[VECTOR_MAX + 1] = { 0 };
	size_t i, count;

	count = gva ? w->read(w->data, w->call->vcpu, gva, texts,
			      sizeof(texts)) / sizeof(texts[0]) : 0;
	if (!count) {
		add_address(w, gva);
		return;
	}
	add(w, "[");
	for (i = 0; i < count && i < VECTOR_MAX && texts[i]; i++) {
		if (i)
			add(w, ", ");
		add_string(w, texts[i]);
	}
	add(w, i == VECTOR_MAX && texts[i] ? ", ...]" : "]");
}

static void add_argument(struct writer *w, char kind, unsigned int i)
{
	uint64_t value = w->call->arguments[i];

	if (kind == 's')
		add_string(w, value);
	else if (kind == 'b')
		add_bytes(w, value, w->call->arguments[i + 1]);
	else if (kind == 'v')
		add_vector(w, value);
	else if (kind == 'f' && (int)value == FDCWD)
		add(w, "AT_FDCWD");
	else if (kind == 'd' || kind == 'f')
		add(w, "%d", (int)value);
	else if (kind == 'u')
		add(w, "%" PRIu64, value);
	else if (kind == 'o')
		add(w, "0%" PRIo64, value & 0177777);
	else
		add(w, "0x%" PRIx64, value);
}

void call_format(const struct call *call, call_read_fn read, void *data,
		 char *text, size_t room, struct call_strings *strings)
{
	struct writer w = {
		.call = call, .read = read, .data = data, .text = text,
		.room = room, .strings = strings,
	};
	char name[CALL_NAME];
	const char *kinds;
	unsigned int i;

	strings->count = 0;
	kinds = call_arguments(call_name(call->number, name));
	if (!kinds)
		kinds = "xxxxxx";
	add(&w, "%s(", name);
	for (i = 0; kinds[i]; i++) {
		if (i)
			add(&w, ", ");
		add_argument(&w, kinds[i], i);
	}
	add(&w, ")");
}

/* Also the ones that stay in the kernel, which then calls anew. */
const char *call_error(int64_t result)
{
	static const char *const kept[] = {
		"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND", NULL,
		"ERESTART_RESTARTBLOCK",
	};
	int error = (int)-result;

	if (result >= 0 || result < -ERRNO_MAX)
		return NULL;
	if (error >= ERESTARTSYS &&
	    error - ERESTARTSYS < (int)(sizeof(kept) / sizeof(kept[0])))
		return kept[error - ERESTARTSYS];
	return strerrorname_np(error);
}

void call_strings_free(struct call_strings *strings)
{
	while (strings->count)
		free(strings->text[--strings->count]);
}

int call_number(const char *text)
{
	unsigned long number;
	char *end;
	int found;

	if (isdigit((unsigned char)*text)) {
		number = strtoul(text, &end, 0);
		return *end || number >= CALLS_MAX ? -ENOENT : (int)number;
	}
	found = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, text);
	return found < 0 ? -ENOENT : found;
}
