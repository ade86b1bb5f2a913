/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said to the program: results, errno and lines of the log. */
#ifndef KVMI_COMPAT_SAY_H
#define KVMI_COMPAT_SAY_H

#include "native.h"

#define NO_VCPU (-1)

__attribute__((format(printf, 2, 3)))
void say(kvmi_log_level level, const char *format, ...);
/* For the native library's log. */
void say_native(void *data, enum kvmi_log_level level, const char *text);

/* Makes of 0 or a negative errno what a function returns, with its line. */
int result(const char *function, int vcpu, int err);
/* The same without a line. */
int result_quietly(int err);
/* EOPNOTSUPP. Says so once for each @said. */
int result_absent(const char *function, bool *said);

#define ABSENT() __extension__({ \
	static bool said__; \
	result_absent(__func__, &said__); \
})

#endif
