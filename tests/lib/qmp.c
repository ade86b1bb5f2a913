// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's monitor.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"
#include "test.h"

static char error_text[512];
static char event_text[1024];

/* The next line, parsed; the caller puts it. NULL: QEMU has closed it. */
static json_object *__receive(struct qmp *qmp)
{
	struct pollfd p = { .fd = qmp->fd, .events = POLLIN };
	json_object *object;
	char *end;
	ssize_t n;

	while (!(end = memchr(qmp->buffer, '\n', qmp->used))) {
		if (poll(&p, 1, DEADLINE_MS) == 0)
			fail("the monitor says nothing");
		n = recv(qmp->fd, qmp->buffer + qmp->used,
			 sizeof(qmp->buffer) - qmp->used, 0);
		if (n <= 0)
			return NULL;
		qmp->used += n;
	}
	*end++ = '\0';
	object = json_tokener_parse(qmp->buffer);
	expect_true(object);
	qmp->used -= end - qmp->buffer;
	memmove(qmp->buffer, end, qmp->used);
	return object;
}

static json_object *receive(struct qmp *qmp)
{
	json_object *object = __receive(qmp);

	if (!object)
		fail("the monitor is gone");
	return object;
}

/* Returns false if it is none; else the object is taken. */
static bool keep_event(struct qmp *qmp, json_object *object)
{
	if (!json_object_object_get_ex(object, "event", NULL))
		return false;
	json_object_array_add(qmp->events, object);
	return true;
}

const char *__qmp(struct qmp *qmp, const char *command, const char *arguments)
{
	json_object *object, *error, *text;
	char line[1024];
	int size;

	size = snprintf(line, sizeof(line),
			"{ 'execute': '%s', 'arguments': %s }\n", command,
			arguments ? arguments : "{}");
	expect_true(size < (int)sizeof(line));
	expect(size, must(send(qmp->fd, line, size, MSG_NOSIGNAL)));
	do {
		object = receive(qmp);
	} while (keep_event(qmp, object));
	if (json_object_object_get_ex(object, "error", &error)) {
		json_object_object_get_ex(error, "desc", &text);
		snprintf(error_text, sizeof(error_text), "%s",
			 json_object_get_string(text));
		json_object_put(object);
		return error_text;
	}
	json_object_put(qmp->value);
	json_object_object_get_ex(object, "return", &qmp->value);
	json_object_get(qmp->value);
	json_object_put(object);
	return NULL;
}

void qmp(struct qmp *qmp, const char *command, const char *arguments)
{
	const char *error = __qmp(qmp, command, arguments);

	if (error)
		fail("%s: %s", command, error);
}

const char *qmp_ask(struct qmp *q, const char *command, const char *arguments,
		    const char *member)
{
	json_object *value;

	qmp(q, command, arguments);
	value = q->value;
	if (member && !json_object_object_get_ex(q->value, member, &value))
		fail("%s: it returns no %s", command, member);
	return json_object_get_string(value);
}

void qmp_human(struct qmp *qmp, const char *line)
{
	char arguments[128];
	const char *said;

	snprintf(arguments, sizeof(arguments), "{ 'command-line': '%s' }",
		 line);
	said = qmp_ask(qmp, "human-monitor-command", arguments, NULL);
	if (*said)
		fail("%s: %s", line, said);
}

static bool is_event(struct qmp *qmp, size_t i, const char *name)
{
	json_object *event = json_object_array_get_idx(qmp->events, i);
	json_object *text;

	json_object_object_get_ex(event, "event", &text);
	return !strcmp(json_object_get_string(text), name);
}

int qmp_events(struct qmp *qmp, const char *name)
{
	int count = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(qmp->events); i++)
		count += is_event(qmp, i, name);
	return count;
}

const char *qmp_event(struct qmp *qmp, const char *name)
{
	json_object *object, *data = NULL;
	size_t i;

	while (!qmp_events(qmp, name))
		expect_true(keep_event(qmp, receive(qmp)));
	for (i = 0; !is_event(qmp, i, name); i++)
		;
	object = json_object_array_get_idx(qmp->events, i);
	json_object_object_get_ex(object, "data", &data);
	snprintf(event_text, sizeof(event_text), "%s",
		 json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN));
	json_object_array_del_idx(qmp->events, i, 1);
	return event_text;
}

void qmp_drain(struct qmp *qmp)
{
	json_object *object;

	while ((object = __receive(qmp)))
		expect_true(keep_event(qmp, object));
}

void qmp_open(struct qmp *q, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(q, 0, sizeof(*q));
	q->events = json_object_new_array();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	q->fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	wait_for(!connect(q->fd, (void *)&address, sizeof(address)));
	json_object_put(receive(q));
	qmp(q, "qmp_capabilities", NULL);
}

void qmp_close(struct qmp *qmp)
{
	json_object_put(qmp->events);
	json_object_put(qmp->value);
	qmp->events = NULL;
	qmp->value = NULL;
	close(qmp->fd);
	qmp->fd = -1;
}
