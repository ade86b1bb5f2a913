/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Our QEMU with a Debian guest: level 2 of the lab, or the same on a real host.
 *
 * The guest's kernel and initrd are /l2/vmlinuz and /l2/initrd, or what
 * KVMI_GUEST_KERNEL and KVMI_GUEST_INITRD name; QEMU is found in the path, or
 * named by KVMI_QEMU, its firmware in /usr/share/qemu or KVMI_QEMU_DATA.
 * Without a guest the test is skipped.
 */
#ifndef TESTS_LIB_QEMU_H
#define TESTS_LIB_QEMU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "qmp.h"

#define QEMU_UUID "6d6c6e1a-5f4b-4a4e-9c39-0c6d1f0e8d11"

#define QEMU_MORE 12

struct qemu {
	struct qemu *next;	/* of those that run */
	pid_t pid;
	char folder[64];	/* of the files below; removed at the end */
	char console[96];	/* what the guest prints */
	char errors[96];	/* what QEMU prints */
	char socket[96];	/* where it looks for the tool */
	struct qmp qmp;
	int keys;		/* what is typed at the guest's console */
	int gdb;		/* QEMU's port for a debugger, 0 if not used */
};

struct qemu_options {
	const char *append;	/* to the guest's command line */
	/*
	 * Of the object, after chardev, e.g. ",key=k"; NULL: none of it.
	 * An empty string is the object without more.
	 */
	const char *object;
	const char *more[QEMU_MORE];	/* words for QEMU's command line */
	bool stopped;		/* -S: no guest runs */
	const char *kernel;	/* a multiboot kernel instead of Debian's */
	const char *initrd;	/* instead of the usual one */
};

/* Makes the folder; the tool listens in it before QEMU starts. */
void qemu_prepare(struct qemu *qemu);
void qemu_start(struct qemu *qemu, const struct qemu_options *options);
/* Starts what must fail; returns QEMU's exit status. */
int qemu_start_fails(struct qemu *qemu, const struct qemu_options *options);
/* QEMU's end: its exit status as of wait_child(). */
int qemu_wait(struct qemu *qemu);
/* Stops it without asking the tool to leave, and lets it run again. */
void qemu_freeze(struct qemu *qemu);
void qemu_thaw(struct qemu *qemu);
/* Quits by the monitor, and cleans up. */
void qemu_quit(struct qemu *qemu);
/* Kills it, if it runs, and cleans up. */
void qemu_kill(struct qemu *qemu);

/* How many lines of the file hold the text; fails if it is not readable. */
int file_count(const char *path, const char *text);
/* Waits until as many lines of the console hold the text. */
void qemu_wait_console(struct qemu *qemu, const char *text, int count);
/* The number behind the text, where it came last; 0 if it has not yet. */
uint64_t qemu_console_number(struct qemu *qemu, const char *text);
void qemu_wait_errors(struct qemu *qemu, const char *text, int count);
/*
 * Has the guest's shell run the command, which must end with this status, or any
 * if that is negative. Returns its output, valid until the next call; a line of
 * it has at most 1000 characters.
 */
const char *qemu_run(struct qemu *qemu, int status, const char *command);
/* Where the guest itself says that its kernel has this symbol. */
unsigned long qemu_symbol(struct qemu *qemu, const char *name);
/* Fails unless the beacon in the guest goes on. */
void qemu_expect_alive(struct qemu *qemu);

#endif /* TESTS_LIB_QEMU_H */
