/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The library on one end of a socket pair, a script in a thread on the other. */
#ifndef KVMI_TEST_RIG_H
#define KVMI_TEST_RIG_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <kvmi/kvmi.h>

#include "peer.h"

/* What the peer does once the session stands. 0, or what went wrong. */
typedef int (*script_fn)(int fd, void *arg);

struct rig {
	struct kvmi_vm *vm;
	int fd;			/* the script's end */
	pthread_t thread;
	script_fn script;
	void *arg;
	int result;		/* of the script */
	int log_count;
};

/* Opens a session with short timeouts; counts the log unless @opts has one. */
void rig_open(struct rig *rig, script_fn script, void *arg);
void rig_open_with(struct rig *rig, script_fn script, void *arg,
		   struct kvmi_options *opts);
/* Waits for the script, which must return 0, and closes both ends. */
void rig_close(struct rig *rig);

/* A script without a session: the library's end is returned. */
int rig_start(struct rig *rig, script_fn script, void *arg);
void rig_stop(struct rig *rig, int fd);

void rig_options(struct kvmi_options *opts);

/*
 * Asserts what a call returns. An error that it had to give is written down, for
 * tests/unit/errors to hold against the header.
 */
#define assert_err(expected, got) \
	rig_assert_err(#got, expected, got, __FILE__, __LINE__)
/* The same for a function that something else calls. */
#define assert_err_of(function, expected, got) \
	((void)(function), \
	 rig_assert_err(#function, expected, got, __FILE__, __LINE__))

void rig_assert_err(const char *call, long long expected, long long got,
		    const char *file, int line);
/* An error that cannot be had on this machine. */
void rig_excuse(const char *function, int err);

#endif
