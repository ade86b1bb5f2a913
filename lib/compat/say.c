// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is said to the program: results, errno and lines of the log. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#include "say.h"

/* Held during the callback, so that one that was replaced runs no more. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static kvmi_log_cb log_cb;
static void *log_ctx;

void kvmi_set_log_cb(kvmi_log_cb cb, void *ctx)
{
	pthread_mutex_lock(&lock);
	log_cb = cb;
	log_ctx = ctx;
	pthread_mutex_unlock(&lock);
}

static void hand_over(kvmi_log_level level, const char *text)
{
	int saved = errno;

	pthread_mutex_lock(&lock);
	if (log_cb)
		log_cb(level, text, log_ctx);
	pthread_mutex_unlock(&lock);
	errno = saved;
}

void say(kvmi_log_level level, const char *format, ...)
{
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	hand_over(level, text);
}

void say_native(void *data, enum kvmi_log_level level, const char *text)
{
	static const kvmi_log_level levels[] = {
		[KVMI_LOG_ERROR] = KVMI_LOG_LEVEL_ERROR,
		[KVMI_LOG_INFO] = KVMI_LOG_LEVEL_INFO,
		[KVMI_LOG_DEBUG] = KVMI_LOG_LEVEL_DEBUG,
	};

	(void)data;
	hand_over(levels[level], text);
}

/* What the old library said; it knew no more errors than these. */
static int to_old(int err)
{
	switch (err) {
	case -ECONNRESET:
	case -ECONNREFUSED:
		return -ENOTCONN;
	case -EREMOTEIO:
	case -EMSGSIZE:
		return -EPROTO;
	default:
		return err;
	}
}

int result_quietly(int err)
{
	if (err)
		errno = -to_old(err);
	return err ? -1 : 0;
}

int result(const char *function, int vcpu, int err)
{
	/* A program that searches memory meets many holes. */
	kvmi_log_level level = err == -ENOENT ? KVMI_LOG_LEVEL_DEBUG :
						KVMI_LOG_LEVEL_WARNING;

	if (err && vcpu == NO_VCPU)
		say(level, "%s: %s (error %d)", function, kvmi_strerror(err),
		    err);
	else if (err)
		say(level, "%s: vCPU %d: %s (error %d)", function, vcpu,
		    kvmi_strerror(err), err);
	return result_quietly(err);
}

int result_absent(const char *function, bool *said)
{
	if (!__atomic_exchange_n(said, true, __ATOMIC_RELAXED))
		say(KVMI_LOG_LEVEL_WARNING, "%s is not supported", function);
	return result_quietly(-EOPNOTSUPP);
}
