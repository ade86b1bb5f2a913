/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session that several verbs have one after the other. */
#ifndef KVMI_TOOL_KEPT_H
#define KVMI_TOOL_KEPT_H

#include "kvmi.h"

/* For session_open() and session_close(), between kept_begin() and kept_end(). */
int kept_open(struct session *session, const struct common *common);
void kept_close(void);
/* Fills in what is not said on the command line. */
void kept_defaults(struct common *common);

/* Poll this one for POLLIN between verbs, then call kept_serve(); -1: none. */
int kept_get_fd(void);
/*
 * Looks what has come while no verb runs, and does what is due: lets the VM go at
 * once when its QEMU wants that, takes it again when it comes. Returns what to
 * tell a person, or NULL, until the next call.
 */
const char *kept_serve(void);
/* The VM's name, or its UUID; NULL if there has never been one. */
const char *kept_get_name(void);
bool kept_is_connected(void);

#endif
