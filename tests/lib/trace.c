// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters in debugfs and trace events in tracefs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "trace.h"

static const char *const tracefs[] = {
	"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
};

static char instance[128];

/* KVM names a VM's directory after its maker and its file. */
static bool find(struct vmm *vm, char *path, int size)
{
	snprintf(path, size, "/sys/kernel/debug/kvm/%d-%d/introspection",
		 getpid(), vm->fd);
	return !access(path, F_OK);
}

void counters_find(struct vmm *vm, char *path, int size)
{
	if (!find(vm, path, size))
		skip("no debugfs of KVM at %s", path);
}

uint64_t counter_read(const char *path, const char *name)
{
	unsigned long long value;
	char file[256];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	f = fopen(file, "r");
	if (!f)
		fail("%s: %s", file, strerror(errno));
	expect(1, fscanf(f, "%llu", &value));
	fclose(f);
	return value;
}

void counters_expect_flushed(struct vmm *vm)
{
	char path[256];
	uint64_t due;

	if (!find(vm, path, sizeof(path)))
		return;
	expect(counter_read(path, "zaps"), counter_read(path, "zap_flushes"));
	due = counter_read(path, "view_flushes");
	due = counter_read(path, "view_switches") - due;
	expect_true(due <= (uint64_t)vm->nvcpus);
}

static void instance_write(const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		fail("%s: %s", path, strerror(errno));
	must(write(fd, text, strlen(text)));
	close(fd);
}

void trace_begin(void)
{
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(instance, sizeof(instance), "%s/instances/kvmi-%d",
			 tracefs[i], getpid());
		if (mkdir(instance, 0700) == 0)
			break;
		instance[0] = '\0';
	}
	if (!instance[0])
		skip("no tracefs: %s", strerror(errno));
	atexit(trace_end);
	instance_write("events/kvmi/enable", "1");
}

int trace_count(const char *event, const char *text)
{
	char path[256], line[512], name[64];
	int count = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/trace", instance);
	snprintf(name, sizeof(name), ": %s: ", event);
	f = fopen(path, "r");
	expect_true(f);
	while (fgets(line, sizeof(line), f))
		count += line[0] != '#' && strstr(line, name) &&
			 strstr(line, text);
	fclose(f);
	return count;
}

void trace_wait(const char *event, const char *text, int count)
{
	uint64_t end = now_ms() + DEADLINE_MS;

	while (trace_count(event, text) < count && now_ms() < end)
		sleep_ms(10);
	note("trace event %s with '%s'", event, text);
	expect(count, trace_count(event, text));
}

void trace_end(void)
{
	if (!instance[0])
		return;
	instance_write("events/kvmi/enable", "0");
	rmdir(instance);
	instance[0] = '\0';
}
