/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connection below session_open(), which may be kept for several verbs. */
#ifndef KVMI_TOOL_SESSION_H
#define KVMI_TOOL_SESSION_H

#include "kvmi.h"

/* Listens there. Returns 0 or an error, and has said why. */
int session_listen(struct session *session, const struct common *common,
		   const char *socket);
/* Listens and waits. @common must live as long, for the log asks it. */
int session_connect(struct session *session, const struct common *common);
/* Waits for the VM on the listener that is there. */
int session_wait(struct session *session, const struct common *common);
void session_disconnect(struct session *session);

#endif
