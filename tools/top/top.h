/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of kvmi top share. */
#ifndef KVMI_TOOL_TOP_H
#define KVMI_TOOL_TOP_H

#include "kvmi.h"
#include "process.h"

#define COUNTER_NAME 48

struct counter {
	char name[COUNTER_NAME];
	uint64_t value, before;
};

struct counters {
	struct counter *list;
	size_t count;
};

/* counters.c */
/* The one with this name, a new one if need be; NULL: no memory. */
struct counter *counters_get(struct counters *counters, const char *name);
/* Returns how much it has grown, 0 if there is none. */
uint64_t counters_growth(const struct counters *counters, const char *name);
void counters_free(struct counters *counters);

/* stats.c: what KVM counts for one vCPU, by a descriptor that QEMU has. */
struct stats {
	int fd;			/* -1: not to be had */
	struct counters counters;
};

/* Returns 0 or -errno. */
int stats_open(struct stats *stats, int pid, unsigned int vcpu);
int stats_read(struct stats *stats);
void stats_close(struct stats *stats);

/* host.c: what the host that this runs on tells of the VM. */
struct host_vcpu {
	struct stats stats;
	int thread;		/* 0: not known */
	uint64_t ns, before;	/* how long it has run */
};

struct host {
	char folder[300];	/* of the VM in debugfs; "" if not found */
	struct host_vcpu *vcpus;
	unsigned int vcpu_count;
	struct counters introspection;
};

/* Finds it by what our own commands count. Returns 0 or -errno. */
int host_open(struct host *host, struct kvmi_vm *vm, unsigned int vcpus);
void host_read(struct host *host);
void host_close(struct host *host);

/* samples.c: what vCPUs run, looked at now and then. */
struct sample {
	struct process process;
	char symbol[64];
	unsigned int count;
};

struct samples {
	struct sample *list;
	size_t count, room;
	unsigned int total;	/* of vCPUs that were looked at */
};

/* Looks at each vCPU. Returns 0 or what ends the session. */
int samples_take(struct samples *samples, struct kvmi_vm *vm,
		 struct linux_guest *guest, unsigned int vcpus);
/* Begins anew. */
void samples_clear(struct samples *samples);
void samples_free(struct samples *samples);

/* top-show.c */
struct top {
	struct host host;
	struct samples samples;
	bool has_host;
	double time, seconds;	/* since the start; what is shown */
	unsigned int rows;	/* of processes, 0: all */
	const char *name;	/* of the VM */
};

void top_print(const struct top *top);
void top_print_json(const struct top *top);

#endif
