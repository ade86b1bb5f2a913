// SPDX-License-Identifier: LGPL-2.1-or-later
/* The log: lines for the program that uses the library. */
#include <stdarg.h>
#include <stdio.h>

#include "log.h"

void log_say(const struct log *log, enum kvmi_log_level level,
	     const char *format, ...)
{
	char text[256];
	va_list args;

	if (!log->fn)
		return;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	log->fn(log->data, level, text);
}
