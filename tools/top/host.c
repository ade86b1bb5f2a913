// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the host tells of the VM. Nothing in the session says which of the VMs of
 * this host it is, or that it is one of this host at all, so we ask: the one
 * whose counter moves by the commands that we send is it.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>

#include "top.h"

#define KVM_FOLDER	"/sys/kernel/debug/kvm"
#define OURS		"introspection"
#define ASKS		7
#define TRIES		4

static int read_number(const char *path, uint64_t *value)
{
	unsigned long long number;
	FILE *file = fopen(path, "re");
	int n;

	if (!file)
		return -errno;
	n = fscanf(file, "%llu", &number);
	fclose(file);
	if (n != 1)
		return -EIO;
	*value = number;
	return 0;
}

static void read_all(const glob_t *files, uint64_t *values)
{
	size_t i;

	for (i = 0; i < files->gl_pathc; i++)
		if (read_number(files->gl_pathv[i], &values[i]))
			values[i] = 0;
}

/* Sends so many commands; returns how many counters have just these. */
static size_t ask(struct kvmi_vm *vm, const glob_t *files, unsigned int asks,
		  uint64_t *values, size_t *which)
{
	uint64_t *before = values, *now = values + files->gl_pathc;
	struct kvmi_vm_get_info_reply info;
	size_t found = 0, i;

	read_all(files, before);
	for (i = 0; i < asks; i++)
		if (kvmi_vm_get_info(vm, &info))
			return 0;
	read_all(files, now);
	for (i = 0; i < files->gl_pathc; i++) {
		if (now[i] - before[i] != asks)
			continue;
		*which = i;
		found++;
	}
	return found;
}

static int find_folder(struct host *host, struct kvmi_vm *vm)
{
	size_t found = 0, which = 0;
	unsigned int try;
	uint64_t *values;
	glob_t files;

	if (glob(KVM_FOLDER "/*/" OURS "/commands", 0, NULL, &files))
		return -ENOENT;
	values = calloc(files.gl_pathc, 2 * sizeof(*values));
	for (try = 0; values && try < TRIES && found != 1; try++)
		found = ask(vm, &files, ASKS + try, values, &which);
	free(values);
	if (found == 1)
		snprintf(host->folder, sizeof(host->folder), "%.*s",
			 (int)(strlen(files.gl_pathv[which]) -
			       strlen("/" OURS "/commands")),
			 files.gl_pathv[which]);
	globfree(&files);
	return found == 1 ? 0 : -ENOENT;
}

int host_open(struct host *host, struct kvmi_vm *vm, unsigned int vcpus)
{
	unsigned int i;
	int pid, err;

	*host = (struct host){ 0 };
	err = find_folder(host, vm);
	if (err)
		return err;
	host->vcpus = calloc(vcpus, sizeof(*host->vcpus));
	if (!host->vcpus)
		return -ENOMEM;
	host->vcpu_count = vcpus;
	pid = atoi(host->folder + strlen(KVM_FOLDER "/"));
	for (i = 0; i < vcpus; i++)
		stats_open(&host->vcpus[i].stats, pid, i);
	return 0;
}

static void read_time(const struct host *host, unsigned int i)
{
	struct host_vcpu *vcpu = &host->vcpus[i];
	char path[340];
	uint64_t thread;

	snprintf(path, sizeof(path), "%s/vcpu%u/pid", host->folder, i);
	if (read_number(path, &thread))
		return;
	vcpu->thread = (int)thread;
	snprintf(path, sizeof(path), "/proc/%d/schedstat", vcpu->thread);
	vcpu->before = vcpu->ns;
	if (read_number(path, &vcpu->ns))
		vcpu->thread = 0;
}

static void read_introspection(struct host *host)
{
	char pattern[340];
	struct counter *c;
	uint64_t value;
	glob_t files;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/" OURS "/*", host->folder);
	if (glob(pattern, 0, NULL, &files))
		return;
	for (i = 0; i < files.gl_pathc; i++) {
		if (read_number(files.gl_pathv[i], &value))
			continue;
		c = counters_get(&host->introspection,
				 strrchr(files.gl_pathv[i], '/') + 1);
		if (!c)
			break;
		c->before = c->value;
		c->value = value;
	}
	globfree(&files);
}

void host_read(struct host *host)
{
	unsigned int i;

	for (i = 0; i < host->vcpu_count; i++) {
		stats_read(&host->vcpus[i].stats);
		read_time(host, i);
	}
	if (*host->folder)
		read_introspection(host);
}

void host_close(struct host *host)
{
	unsigned int i;

	for (i = 0; i < host->vcpu_count; i++)
		stats_close(&host->vcpus[i].stats);
	free(host->vcpus);
	counters_free(&host->introspection);
}
