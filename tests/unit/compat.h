/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The old interface on one end of a UNIX socket, a script on the other: what
 * the library must send, act by act, and what it is told.
 */
#ifndef KVMI_TEST_COMPAT_H
#define KVMI_TEST_COMPAT_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"

#include <libkvmi.h>

enum act_kind {
	ACT_END,
	ACT_COMMAND,	/* must come, exactly so; is answered */
	ACT_UNANSWERED,	/* must come, gets its answer by ACT_ANSWER */
	ACT_ANSWER,	/* to the oldest unanswered, or with index to that */
	ACT_REPLY,	/* to an event, must come exactly so */
	ACT_EVENT,	/* is sent */
};

struct act {
	enum act_kind kind;
	unsigned int id;	/* of the message or event */
	uint16_t vcpu;
	uint32_t seq;		/* of the event */
	const void *body;	/* behind the header of a vCPU, if it has one */
	size_t size;
	int err;		/* of the answer, on the wire */
	const void *data;	/* of the answer */
	size_t data_size;
	unsigned int index;
};

#define BODY(p)	.body = (p), .size = sizeof(*(p))
#define DATA(p)	.data = (p), .data_size = sizeof(*(p))

struct compat {
	char folder[32];
	char path[48];
	void *ctx;
	void *dom;
	unsigned char uuid[16];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	const struct act *acts;
	/* In place of the usual handshake, and of the acts. */
	int (*begin)(int fd, const void *arg);
	int (*script)(int fd, void *arg);
	void *arg;		/* of both */
	const uint8_t *hash;	/* that the library must send, or NULL */
	uint8_t fill[20];	/* cookie_hash that the callback gives */
	int hello_result, guest_result;	/* of the callbacks */
	int hellos;
	struct kvmi_v1_qemu2introspector hello;
	bool is_old;		/* no single step */
	bool ends_in_callback;	/* with kvmi_uninit() */
	unsigned int max_msg_size;
	int fd;
	int result;		/* of the script */
	int done;		/* of the acts; atomic */
	char log[8192];
};

/* Prepares; the fields may be changed before compat_open(). */
void compat_init(struct compat *c, const struct act *acts);
/* Listens, connects, takes the domain. */
void compat_open(struct compat *c);
/* The parts of it. */
void compat_listen(struct compat *c);
void compat_connect(struct compat *c);
int compat_wait(struct compat *c, int seconds);
/* Waits until the script has come so far, 10 s at most. */
void compat_wait_acts(struct compat *c, int count);
/* Waits for the end of the script, which must be as expected, and closes. */
void compat_close(struct compat *c);
void compat_join(struct compat *c);
void compat_finish(struct compat *c);

/* Takes the next event, which must be this one. */
struct kvmi_dom_event *compat_event(struct compat *c, unsigned int event,
				    unsigned int vcpu);
/* Replies with @data behind the usual head. */
int compat_reply(struct compat *c, const struct kvmi_dom_event *event,
		 unsigned int action, const void *data, size_t size);
/* How many lines of the log have this text. */
int compat_said(struct compat *c, const char *text);

/*
 * Asserts that a call fails, and its errno. It is written down, for
 * tests/unit/errors to hold against the header.
 */
#define assert_fails(failure, expected, call) \
	do { \
		errno = 0; \
		compat_assert_errno(#call, expected, (call) == (failure), \
				    __FILE__, __LINE__); \
	} while (0)
#define assert_errno(expected, call) assert_fails(-1, expected, call)

void compat_assert_errno(const char *call, int expected, bool has_failed,
			 const char *file, int line);
/* An error that cannot be had on this machine. */
void compat_excuse(const char *function, int expected);

#endif
