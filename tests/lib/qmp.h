/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's monitor.
 */
#ifndef TESTS_LIB_QMP_H
#define TESTS_LIB_QMP_H

struct qmp {
	int fd;
	int used;
	char buffer[65536];
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

#endif /* TESTS_LIB_QMP_H */
