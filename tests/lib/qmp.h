/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's monitor.
 */
#ifndef TESTS_LIB_QMP_H
#define TESTS_LIB_QMP_H

#include <json-c/json.h>

struct qmp {
	int fd;
	int used;
	char buffer[65536];
	struct json_object *events;	/* that nobody has asked for yet */
	struct json_object *value;	/* what the last command returned */
};

/* Connects, with patience, and greets. */
void qmp_open(struct qmp *qmp, const char *path);
void qmp_close(struct qmp *qmp);

/*
 * Executes a command whose arguments are JSON text or NULL. Returns NULL on
 * success, else the description of the error, valid until the next call.
 */
const char *__qmp(struct qmp *qmp, const char *command, const char *arguments);
void qmp(struct qmp *qmp, const char *command, const char *arguments);
/*
 * The same; returns the text that the command returns, or that of a member of
 * the object, valid until the next call.
 */
const char *qmp_ask(struct qmp *qmp, const char *command,
		    const char *arguments, const char *member);

/* A line for the human monitor, which must have nothing to say to it. */
void qmp_human(struct qmp *qmp, const char *line);

/*
 * The data of the next event of this name as JSON text without spaces, valid
 * until the next call; waits for it. Earlier events count.
 */
const char *qmp_event(struct qmp *qmp, const char *name);
/* How many events of this name have come and were not asked for. */
int qmp_events(struct qmp *qmp, const char *name);
/* Takes what QEMU still says before it ends. */
void qmp_drain(struct qmp *qmp);

#endif /* TESTS_LIB_QMP_H */
