// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel and a process hold at a moment.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resources.h"
#include "test.h"

/*
 * The bounds. What is counted one by one must not grow at all. /proc/slabinfo
 * counts free objects on the CPUs' own slabs as used, so a cache may differ by
 * some slabs; 180 rounds that leak one object each are far above that. The
 * sums of the whole machine move by themselves; 180 sessions are 8 MB.
 */
#define BOUND_OBJECTS	100
#define BOUND_KB	4096

static const struct {
	const char *name;
	long bound;
} rules[RESOURCE_COUNT] = {
	[RESOURCE_KVMI_VM] = { "slab objects of kvmi_vm", BOUND_OBJECTS },
	[RESOURCE_KVMI_SESSION] = { "slab objects of kvmi_session",
				    BOUND_OBJECTS },
	[RESOURCE_KVMI_VCPU] = { "slab objects of kvmi_vcpu", BOUND_OBJECTS },
	[RESOURCE_KVMI_MSG] = { "slab objects of kvmi_msg", BOUND_OBJECTS },
	[RESOURCE_THREADS] = { "threads kvmi-recv", 0 },
	[RESOURCE_KVM_USERS] = { "references to module kvm", 0 },
	[RESOURCE_VENDOR_USERS] = { "references to the vendor module", 0 },
	[RESOURCE_FILES] = { "open files", 0 },
	[RESOURCE_SLAB] = { "kB of Slab", BOUND_KB },
	[RESOURCE_VMALLOC] = { "kB of VmallocUsed", BOUND_KB },
};

/* The first number of the line of the file that begins with name. */
static long file_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(name);
	char line[512];
	long n = -1;

	if (!file)
		return -1;
	while (n < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, length) &&
		    strspn(line + length, ": \t0123456789"))
			n = strtol(line + length + strspn(line + length, ": "),
				   NULL, 10);
	fclose(file);
	return n;
}

static long count_files(int pid)
{
	char path[64] = "/proc/self/fd";
	struct dirent *entry;
	long n = 0;
	DIR *dir;

	if (pid)
		snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static bool is_receiver(const char *pid)
{
	char path[300], name[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return !strncmp(name, "kvmi-recv", 9);
}

static long count_threads(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	long n = 0;

	expect_true(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			n += is_receiver(entry->d_name);
	closedir(dir);
	return n;
}

static long vendor_users(void)
{
	long n = file_number("/sys/module/kvm_amd/refcnt", "");

	return n >= 0 ? n : file_number("/sys/module/kvm_intel/refcnt", "");
}

void resources_take(struct resources *resources, int pid)
{
	static const char slabs[] = "/proc/slabinfo";
	long *v = resources->value;
	int i;

	for (i = 0; i < RESOURCE_COUNT; i++)
		v[i] = -1;
	v[RESOURCE_THREADS] = count_threads();
	v[RESOURCE_KVM_USERS] = file_number("/sys/module/kvm/refcnt", "");
	v[RESOURCE_VENDOR_USERS] = vendor_users();
	v[RESOURCE_FILES] = count_files(pid);
	/* KASAN keeps what is freed for a while; kmemleak finds leaks there. */
	if (!access("/sys/kernel/debug/kmemleak", F_OK))
		return;
	v[RESOURCE_KVMI_VM] = file_number(slabs, "kvmi_vm ");
	v[RESOURCE_KVMI_SESSION] = file_number(slabs, "kvmi_session ");
	v[RESOURCE_KVMI_VCPU] = file_number(slabs, "kvmi_vcpu ");
	v[RESOURCE_KVMI_MSG] = file_number(slabs, "kvmi_msg ");
	v[RESOURCE_SLAB] = file_number("/proc/meminfo", "Slab:");
	v[RESOURCE_VMALLOC] = file_number("/proc/meminfo", "VmallocUsed:");
}

static int count_grown(const struct resources *before,
		       const struct resources *after, bool tell)
{
	int i, grown = 0;
	long diff;

	for (i = 0; i < RESOURCE_COUNT; i++) {
		diff = after->value[i] - before->value[i];
		if (diff <= rules[i].bound)
			continue;
		grown++;
		if (tell)
			note("grew: %s from %ld to %ld (bound %ld)",
			     rules[i].name, before->value[i], after->value[i],
			     rules[i].bound);
	}
	return grown;
}

int resources_compare(const struct resources *before,
		      const struct resources *after)
{
	return count_grown(before, after, true);
}

int resources_settle(const struct resources *before, int pid)
{
	uint64_t end = now_ms() + DEADLINE_MS;
	struct resources after;

	do {
		resources_take(&after, pid);
		if (!count_grown(before, &after, false))
			return 0;
		sleep_ms(50);
	} while (now_ms() < end);
	return resources_compare(before, &after);
}
