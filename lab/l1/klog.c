// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log: every record since the last look is passed on, and what
 * no healthy kernel says is told apart. Records that processes wrote do not
 * count: only the kernel speaks for the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"

static const char *const dirt[] = {
	"WARNING:", "BUG:", "kernel BUG", "Oops", "------------[ cut here",
	"general protection fault", "unable to handle", "Bad page state",
	"bad page map", "double fault", "stack guard", "stack-protector",
	"INFO: task ", "rcu_preempt detected", "rcu_sched detected",
	"self-detected stall", "soft lockup", "hard LOCKUP",
	"circular locking", "recursive locking", "inconsistent lock",
	"lock held when returning", "suspicious RCU", "locking bug",
	"sleeping function called", "scheduling while atomic",
	"KASAN", "KCSAN", "UBSAN", "KFENCE:", "kmemleak:", "unreferenced object",
	"refcount_t:", "list_add corruption", "list_del corruption",
	"ODEBUG:", "objects remaining", "Objects remaining",
	"Slab cache still has objects", "leaked", "memory leak",
	"Call Trace:", "vmalloc error", "page allocation failure",
	"Out of memory", "RIP: 0010:",
};

/* What those words catch although it is well: said once while booting. */
static const char *const clean[] = {
	"kmemleak: Kernel memory leak detector initialized",
	"kmemleak: Automatic memory scanning",
	"Spectre", "RETBleed: WARNING", "lockdep debugging",
	"KASAN: KernelAddressSanitizer initialized", "kasan: Kernel",
};

static int fd = -1;

static bool has_one_of(const char *text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

int klog_open(void)
{
	fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

void klog_mark(const char *what, const char *name)
{
	char line[256];
	int n = snprintf(line, sizeof(line), "<6>lab: %s %s", what, name);

	if (write(fd, line, n) != n)
		report("klog cannot mark the log");
}

/* "prio,sequence,time,flags;text": the facility in prio is 0 for the kernel. */
static bool pass_on(char *record)
{
	char *text = strchr(record, ';');
	long prio = strtol(record, NULL, 10);
	bool dirty;

	if (!text)
		return false;
	*strchrnul(++text, '\n') = '\0';
	dirty = prio >> 3 == 0 &&
		has_one_of(text, dirt, sizeof(dirt) / sizeof(*dirt)) &&
		!has_one_of(text, clean, sizeof(clean) / sizeof(*clean));
	report_text(dirty ? "dirt" : "klog", text, strlen(text));
	return dirty;
}

/* Pass on what is new; returns how many records are dirt. */
int klog_drain(void)
{
	static char record[8192 + 1];
	int count = 0;

	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n > 0) {
			record[n] = '\0';
			count += pass_on(record);
		} else if (n < 0 && errno == EPIPE) {
			report("dirt the kernel's log overran: records are lost");
			count++;
		} else if (n == 0 || errno != EINTR) {
			return count;
		}
	}
}
