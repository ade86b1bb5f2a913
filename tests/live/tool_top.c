// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi top" of a Debian guest: its counters are between what KVM's files say
 * before and after, the process that keeps the guest busy is the one that the
 * guest's own clock says, with as much of the time, in a function that the guest's
 * kernel has.
 *
 * lab: calm aside timeout=300
 */
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define INTERVALS	3
#define CLOSE		20	/* per cent of all time */
#define PATIENCE	(6 * DEADLINE_MS)
#define BUSY		"dd"
#define BUSY_COMMAND	"/bin/" BUSY " if=/dev/zero of=/dev/null bs=1M " \
			">/dev/null 2>&1 </dev/null & echo $!"

/* What KVM's file for this VM says. */
static uint64_t kvm_counter(struct qemu *qemu, const char *name)
{
	unsigned long long value;
	char pattern[160];
	FILE *file;
	glob_t files;

	snprintf(pattern, sizeof(pattern), "/sys/kernel/debug/kvm/%d-*/%s",
		 qemu->pid, name);
	expect(0, glob(pattern, 0, NULL, &files));
	file = fopen(files.gl_pathv[0], "r");
	expect_true(file);
	expect(1, fscanf(file, "%llu", &value));
	fclose(file);
	globfree(&files);
	return value;
}

/* By the guest's clock: what the process and all processors had. */
static void read_times(struct qemu *qemu, uint64_t pid, uint64_t *own,
		       uint64_t *all)
{
	char command[64];
	const char *text;
	uint64_t part, system;
	int used;

	text = qemu_run(qemu, 0, "head -n 1 /proc/stat");
	text += strcspn(text, " ");
	*all = 0;
	while (sscanf(text, "%lu%n", &part, &used) == 1) {
		*all += part;
		text += used;
	}
	snprintf(command, sizeof(command), "cut -d' ' -f14,15 /proc/%lu/stat",
		 pid);
	expect(2, sscanf(qemu_run(qemu, 0, command), "%lu %lu", own, &system));
	*own += system;
}

static uint64_t sum_exits(json_object *o)
{
	json_object *vcpus = json_field(o, "vcpus"), *vcpu;
	uint64_t sum = 0;
	size_t i;

	expect(2, json_object_array_length(vcpus));
	for (i = 0; i < 2; i++) {
		vcpu = json_object_array_get_idx(vcpus, i);
		sum += json_number(json_field(json_field(vcpu, "counters"), "exits"),
				   "count");
	}
	return sum;
}

/* The one that is no idle vCPU and has most samples. */
static json_object *busiest(json_object *o)
{
	json_object *list = json_field(o, "processes"), *row;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		row = json_object_array_get_idx(list, i);
		if (json_number(row, "pid"))
			return row;
	}
	fail("no process was seen");
}

static void expect_function(struct qemu *qemu, json_object *row)
{
	struct json_object_iterator it, last;
	json_object *symbols = json_field(row, "symbols");
	char command[160];
	int found = 0;

	it = json_object_iter_begin(symbols);
	last = json_object_iter_end(symbols);
	for (; !json_object_iter_equal(&it, &last); json_object_iter_next(&it)) {
		const char *name = json_object_iter_peek_name(&it);

		note("seen in %s", name);
		if (*name == '(' || found)
			continue;
		snprintf(command, sizeof(command), "grep -q ' %s$' /proc/kallsyms",
			 name);
		qemu_run(qemu, 0, command);
		found++;
	}
	expect_true(found);
}

struct sums {
	uint64_t samples, own;	/* of all, of the busy process */
	double busy;
};

static void expect_interval(struct qemu *qemu, json_object *o, uint64_t pid,
			    uint64_t exits, struct sums *sums)
{
	json_object *row = busiest(o), *vcpus = json_field(o, "vcpus");
	uint64_t shown = sum_exits(o), commands;
	json_object *vcpu;
	int i;

	expect_true(shown >= exits);
	expect_true(shown <= kvm_counter(qemu, "exits"));
	commands = json_number(json_field(json_field(o, "introspection"), "commands"),
			       "count");
	expect_true(commands <= kvm_counter(qemu, "introspection/commands"));
	expect_true(commands > 0);

	expect(pid, json_number(row, "pid"));
	expect(0, strcmp(BUSY, json_object_get_string(json_field(row, "comm"))));
	sums->samples += json_number(o, "samples");
	sums->own += json_number(row, "samples");
	for (i = 0; i < 2; i++) {
		vcpu = json_object_array_get_idx(vcpus, i);
		sums->busy += json_object_get_double(json_field(vcpu, "busy"));
	}
}

static void test_numbers(struct qemu *qemu, uint64_t pid)
{
	uint64_t own[2], all[2], exits = kvm_counter(qemu, "exits");
	static struct command top;
	struct sums sums = { 0 };
	const char *line;
	json_object *o = NULL;
	int i, guest, seen;

	note("numbers");
	command_start(&top, "top -s %s --json --interval 3 --samples 8 --count %d",
		      qemu->socket, INTERVALS);
	line = command_line(&top, PATIENCE);
	read_times(qemu, pid, &own[0], &all[0]);
	for (i = 0; i < INTERVALS; i++) {
		if (i)
			line = command_line(&top, PATIENCE);
		json_object_put(o);
		o = json_parse(line);
		expect_interval(qemu, o, pid, exits, &sums);
		exits = sum_exits(o);
	}
	expect(0, command_wait(&top));
	read_times(qemu, pid, &own[1], &all[1]);

	guest = (int)(100 * (own[1] - own[0]) / (all[1] - all[0]));
	seen = (int)(100 * sums.own / sums.samples);
	note("%s has %d %% by the guest's clock, %d %% of %lu samples", BUSY,
	     guest, seen, sums.samples);
	expect_true(abs(guest - seen) <= CLOSE);
	note("both vCPUs took %.2f of a CPU", sums.busy / INTERVALS);
	expect_true(sums.busy / INTERVALS > 0.2);
	expect_true(sums.busy / INTERVALS < 2.05);
	expect_function(qemu, busiest(o));
	json_object_put(o);
}

static void test_table(struct qemu *qemu, uint64_t pid)
{
	char wanted[32];
	const char *text;

	note("table");
	text = command_output(0, "top -s %s --count 1 --rows 3", qemu->socket);
	expect_true(strstr(text, "VCPU"));
	expect_true(strstr(text, "introspection: "));
	snprintf(wanted, sizeof(wanted), "%lu " BUSY " ", pid);
	expect_true(strstr(text, wanted));
	text = command_output(0, "top -s %s --count 1 --no-symbols",
			      qemu->socket);
	expect_true(strstr(text, "(kernel)") || strstr(text, "(user)"));
}

/* Until a signal. */
static void test_signal(struct qemu *qemu)
{
	static struct command top;

	note("signal");
	command_start(&top, "top -s %s --json --no-symbols", qemu->socket);
	expect_true(command_line(&top, PATIENCE));
	must(kill(top.pid, SIGINT));
	expect(0, command_wait(&top));
}

int main(void)
{
	struct qemu_options options = { .object = "" };
	struct qemu qemu;
	uint64_t pid;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	pid = strtoull(qemu_run(&qemu, 0, BUSY_COMMAND), NULL, 10);
	expect_true(pid > 1);
	test_numbers(&qemu, pid);
	test_table(&qemu, pid);
	test_signal(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
