/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A raw introspection tool: listens, does the handshake, has a peer then.
 */
#ifndef TESTS_LIB_TOOL_H
#define TESTS_LIB_TOOL_H

#include <kvmi/handshake.h>

#include "peer.h"

struct tool {
	char path[108];
	int fd;				/* listens */
	struct kvmi_qemu2introspector hello;
	struct peer peer;
};

void tool_listen(struct tool *tool, const char *path);
/* Stops listening and ends the session. */
void tool_close(struct tool *tool);

/* Waits for QEMU and reads its hello, as peer; -ETIMEDOUT or -EPIPE. */
int __tool_accept(struct tool *tool, unsigned int ms);
/* Answers the hello; hash NULL: zeros, for a QEMU without a key. */
int __tool_answer(struct tool *tool, const uint8_t *hash);
void tool_answer(struct tool *tool, const uint8_t *hash);
/* Accepts, answers, and waits until QEMU has hooked and allowed all. */
void tool_session(struct tool *tool);
/* Accepts until a session works: earlier attempts may be under way. */
void tool_session_again(struct tool *tool);

/*
 * Finds text in guest memory from gpa on, within pages; fails if it is not
 * there.
 */
uint64_t tool_search(struct tool *tool, uint64_t gpa, const char *text);

#endif /* TESTS_LIB_TOOL_H */
