// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's monitor.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <json-c/json.h>

#include "qmp.h"
#include "test.h"

static char error_text[512];

/* The next line, parsed; the caller puts it. */
static json_object *receive(struct qmp *qmp)
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
			fail("the monitor is gone");
		qmp->used += n;
	}
	*end++ = '\0';
	object = json_tokener_parse(qmp->buffer);
	expect_true(object);
	qmp->used -= end - qmp->buffer;
	memmove(qmp->buffer, end, qmp->used);
	return object;
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
	for (;;) {
		object = receive(qmp);
		if (json_object_object_get_ex(object, "error", &error)) {
			json_object_object_get_ex(error, "desc", &text);
			snprintf(error_text, sizeof(error_text), "%s",
				 json_object_get_string(text));
			json_object_put(object);
			return error_text;
		}
		size = json_object_object_get_ex(object, "return", NULL);
		json_object_put(object);
		if (size)
			return NULL;
	}
}

void qmp(struct qmp *qmp, const char *command, const char *arguments)
{
	const char *error = __qmp(qmp, command, arguments);

	if (error)
		fail("%s: %s", command, error);
}

void qmp_open(struct qmp *q, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(q, 0, sizeof(*q));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	q->fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	wait_for(!connect(q->fd, (void *)&address, sizeof(address)));
	json_object_put(receive(q));
	qmp(q, "qmp_capabilities", NULL);
}

void qmp_close(struct qmp *qmp)
{
	close(qmp->fd);
	qmp->fd = -1;
}
