/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log: lines for the program that uses the library. */
#ifndef KVMI_NATIVE_LOG_H
#define KVMI_NATIVE_LOG_H

#include <kvmi/kvmi.h>

struct log {
	kvmi_log_fn fn;
	void *data;
};

__attribute__((format(printf, 3, 4)))
void log_say(const struct log *log, enum kvmi_log_level level,
	     const char *format, ...);

#endif
