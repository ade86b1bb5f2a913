// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi protect --mode deny" while a Debian guest patches its own kernel for a
 * minute: static keys, a module that comes and goes, ftrace, a kprobe. None of
 * it is refused, each kind is counted, and the guest has nothing to complain of.
 * What that costs the guest is told in the log. Then it powers off, protected.
 *
 * lab: calm aside timeout=300
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define READY		"pages are locked"
#define MINUTE_MS	60000
#define TRACING		"/sys/kernel/tracing"

/* Each leaves the guest's kernel as it was. */
static const char *const rounds[] = {
	"for i in 1; do echo 1 >/proc/sys/kernel/sched_schedstats; echo 0 >/proc/sys/kernel/sched_schedstats; done",
	"modprobe vmw_vsock_virtio_transport && rmmod vmw_vsock_virtio_transport",
	"cd " TRACING " && echo '*_sys_getp*' >set_ftrace_filter && echo function >current_tracer && echo nop >current_tracer",
	"cd " TRACING " && echo 'p:kvmi __x64_sys_getppid+0x17' >kprobe_events && echo 1 >events/kprobes/kvmi/enable && echo 0 >events/kprobes/kvmi/enable && echo >kprobe_events",
};

#define ROUNDS (sizeof(rounds) / sizeof(rounds[0]))

static long number(json_object *o, const char *group, const char *name)
{
	return (long)json_number(json_field(o, group), name);
}

/* How long the guest takes for some thousand system calls, at best. */
static uint64_t measure(struct qemu *qemu)
{
	uint64_t start, took, best = UINT64_MAX;
	int i;

	for (i = 0; i < 4; i++) {
		start = now_ms();
		qemu_run(qemu, 0, "dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null");
		took = now_ms() - start;
		best = took < best ? took : best;
	}
	return best;
}

static void begin(struct qemu *qemu, struct command *protect)
{
	const char *line;

	command_start(protect, "protect -s %s --json --verbose --mode deny 2>&1",
		      qemu->socket);
	do {
		line = command_line(protect, 4 * DEADLINE_MS);
		expect_true(line);
		note("%s", line);
	} while (!strstr(line, READY));
}

/* Nothing was refused, which would be a line. */
static void expect_silence(struct command *protect)
{
	const char *line = command_line(protect, 0);

	if (line)
		fail("it says: %s", line);
}

static json_object *end(struct command *protect)
{
	json_object *o;
	const char *line;

	must(kill(protect->pid, SIGTERM));
	do {
		line = command_line(protect, DEADLINE_MS);
		expect_true(line);
		note("%s", line);
	} while (line[0] != '{');
	o = json_tokener_parse(line);
	expect_true(o);
	expect(0, command_wait(protect));
	return o;
}

/*
 * The guest goes by itself while it is protected. If QEMU does not ask the tool
 * to leave, that cannot tell it from a reset, which is no success.
 */
static void test_power_off(struct qemu *qemu, struct command *protect)
{
	static const char keys[] = "run poweroff -f\n";
	const char *line;
	int status;

	note("power off");
	begin(qemu, protect);
	expect(sizeof(keys) - 1, must(write(qemu->keys, keys,
					    sizeof(keys) - 1)));
	do {
		line = command_line(protect, 2 * DEADLINE_MS);
		expect_true(line);
		note("%s", line);
	} while (line[0] != '{');
	status = command_wait(protect);
	expect_true(status == 0 || status == 1);
	expect(0, qemu_wait(qemu));
	qemu_kill(qemu);
}

static void expect_summary(json_object *o)
{
	expect(0, number(o, "attempts", "text"));
	expect(0, number(o, "attempts", "rodata"));
	expect(0, number(o, "attempts", "idt"));
	expect(0, number(o, "attempts", "control register"));
	expect(0, number(o, "attempts", "msr"));
	expect(0, number(o, "attempts", "table register"));
	expect_true(number(o, "let_through", "static key") > 0);
	expect_true(number(o, "let_through", "ftrace") > 0);
	expect_true(number(o, "let_through", "kprobe") > 0);
	json_object_put(o);
}

int main(void)
{
	static struct command protect;
	struct qemu_options options = { .object = "" };
	uint64_t start, before, during, after;
	struct qemu qemu;
	int i;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	qemu_run(&qemu, 0, "mount -t tracefs none " TRACING);
	before = measure(&qemu);
	begin(&qemu, &protect);
	during = measure(&qemu);
	start = now_ms();
	for (i = 0; now_ms() - start < MINUTE_MS; i++) {
		qemu_run(&qemu, 0, rounds[i % ROUNDS]);
		expect_silence(&protect);
		if (i < (int)ROUNDS)
			note("%s: %llu ms", rounds[i],
			     (unsigned long long)(now_ms() - start));
	}
	note("%d rounds", i);
	expect_true(i >= (int)ROUNDS);
	expect_summary(end(&protect));
	after = measure(&qemu);
	note("system calls took %llu ms before, %llu protected, %llu after",
	     (unsigned long long)before, (unsigned long long)during,
	     (unsigned long long)after);
	qemu_run(&qemu, 1, "dmesg | grep -E 'BUG|Oops|WARNING|general protection|Fatal'");
	qemu_expect_alive(&qemu);
	test_power_off(&qemu, &protect);
	return 0;
}
