/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes for people and for programs. */
#ifndef KVMI_TOOL_PS_H
#define KVMI_TOOL_PS_H

#include "linux.h"

/* A tree. @hidden: how many of them are, or 0 for no column of that. */
void tasks_show(const struct linux_task *list, size_t count, bool with_threads,
		size_t hidden);
struct json_object *tasks_json(const struct linux_task *list, size_t count);

#endif
