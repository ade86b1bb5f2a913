// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi trace" of a Debian guest in the guest's own terms: system calls with
 * paths and processes, as many as the guest counts; breakpoints, pages and
 * process switches by names that the guest has, too. Filters leave out the others,
 * and the code of the kernel is what it was before.
 *
 * lab: calm aside timeout=300
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

#include "../lib/command.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define CALLS		200	/* of getppid, by the chore "call" */
#define PLACES		3	/* whose code is looked at */
#define CODE		16
#define STORES		3
#define PATIENCE	(6 * DEADLINE_MS)	/* the first profile takes long */

static const char *const places[PLACES] = {
	"entry_SYSCALL_64", "__x64_sys_getppid", "__x64_sys_openat",
};

static struct command trace;
static char code[PLACES][CODE];
static uint64_t addresses[PLACES];

static json_object *member(json_object *object, const char *name)
{
	json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static const char *text(json_object *object, const char *name)
{
	json_object *value = member(object, name);

	return value ? json_object_get_string(value) : "";
}

static uint64_t number(json_object *object, const char *name)
{
	return strtoull(text(object, name), NULL, 0);
}

static bool is(json_object *object, const char *name, const char *wanted)
{
	return !strcmp(text(object, name), wanted);
}

static void file_of(struct qemu *qemu, char path[128])
{
	snprintf(path, 128, "%s/trace", qemu->folder);
}

/* Everything goes to a file: nobody reads while the guest is busy. */
static void begin(struct qemu *qemu, const char *words)
{
	uint64_t end = now_ms() + PATIENCE;
	char path[128], errors[160];

	note("trace %s", words);
	file_of(qemu, path);
	snprintf(errors, sizeof(errors), "%s.errors", path);
	unlink(errors);
	command_start(&trace, "trace -s %s --json --verbose %s >%s 2>%s",
		      qemu->socket, words, path, errors);
	while (access(errors, F_OK) || !file_count(errors, "watching ")) {
		if (now_ms() > end || kill(trace.pid, 0))
			fail("the trace does not begin");
		sleep_ms(50);
	}
}

/* Ends it as Ctrl-C does. Returns an array of what it printed. */
static json_object *end(struct qemu *qemu)
{
	json_object *array = json_object_new_array(), *o;
	char path[128], line[8192];
	FILE *file;

	must(kill(trace.pid, SIGINT));
	expect(0, command_wait(&trace));
	file_of(qemu, path);
	file = fopen(path, "r");
	expect_true(file);
	while (fgets(line, sizeof(line), file)) {
		o = json_tokener_parse(line);
		if (!o)
			fail("this is no JSON: %s", line);
		json_object_array_add(array, o);
	}
	fclose(file);
	/* The last one is the summary. */
	expect_true(json_object_array_length(array) > 0);
	o = json_object_array_get_idx(array, json_object_array_length(array) - 1);
	expect_true(member(o, "seconds"));
	return array;
}

/* For who reads why it failed. */
static void expect_count(json_object *array, int wanted, int got)
{
	json_object *o;
	size_t i;

	for (i = 0; wanted != got && i < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		note("%s", json_object_get_string(o));
	}
	expect(wanted, got);
}

/* How many of them are of this kind, name and process; NULL: any. */
static int count(json_object *array, const char *event, const char *name,
		 const char *comm)
{
	json_object *o;
	int found = 0;
	size_t i;

	for (i = 0; i + 1 < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		found += is(o, "event", event) &&
			 (!name || is(o, "name", name)) &&
			 (!comm || is(o, "comm", comm));
	}
	return found;
}

/* All but the summary. */
static int length(json_object *array)
{
	return (int)json_object_array_length(array) - 1;
}

static void call(struct qemu *qemu)
{
	static const char answer[] = " calls of getppid, then an exit";
	int before = file_count(qemu->console, answer);

	expect(5, must(write(qemu->keys, "call\n", 5)));
	qemu_wait_console(qemu, answer, before + 1);
}

static void read_code(struct qemu *qemu, int i, char to[CODE])
{
	uint64_t deadline = now_ms() + DEADLINE_MS, gpa;
	const char *answer;

	do {
		answer = command_output(-1, "translate -s %s 0x%lx",
					qemu->socket, addresses[i]);
		if (now_ms() > deadline)
			fail("%s is not mapped", places[i]);
	} while (sscanf(answer, "%*[^\n] %*s 0x%lx", &gpa) != 1);
	memcpy(to, command_output(0, "read -s %s --raw 0x%lx %d", qemu->socket,
				  gpa, CODE), CODE);
}

/* By the guest's own word. */
static void find_places(struct qemu *qemu)
{
	char line[100], name[64];
	const char *answer;
	int i, found = 0;

	answer = qemu_run(qemu, 0, "grep -E ' T (entry_SYSCALL_64|__x64_sys_getppid|__x64_sys_openat)$' /proc/kallsyms");
	for (; sscanf(answer, "%99[^\n]", line) == 1;
	     answer += strlen(line) + 1) {
		for (i = 0; i < PLACES; i++)
			if (sscanf(line, "%*s T %63s", name) == 1 &&
			    !strcmp(name, places[i])) {
				addresses[i] = strtoull(line, NULL, 16);
				found++;
			}
	}
	expect(PLACES, found);
	for (i = 0; i < PLACES; i++)
		read_code(qemu, i, code[i]);
}

/* What the trace has changed it has changed back. */
static void expect_code(struct qemu *qemu)
{
	char now[CODE];
	int i;

	for (i = 0; i < PLACES; i++) {
		read_code(qemu, i, now);
		expect_bytes(code[i], now, CODE);
	}
}

static bool has_string(json_object *object, const char *wanted)
{
	json_object *strings = member(object, "strings");
	size_t i;

	for (i = 0; i < json_object_array_length(strings); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(strings, i)),
			    wanted))
			return true;
	return false;
}

/* The process that the guest's shell became opens the file that was named. */
static void test_path(struct qemu *qemu)
{
	int openings = 0, starts = 0;
	json_object *array, *o;
	uint64_t pid;
	int i;

	begin(qemu, "syscall openat execve");
	/* By its path: the shell has programs of its own. */
	pid = strtoull(qemu_run(qemu, 0, "sh -c 'echo $$; exec /bin/cat /etc/passwd'"),
		       NULL, 10);
	expect_true(pid > 1);
	array = end(qemu);
	for (i = 0; i < length(array); i++) {
		o = json_object_array_get_idx(array, i);
		expect_true(is(o, "name", "openat") || is(o, "name", "execve"));
		if (number(o, "pid") != pid)
			continue;
		starts += is(o, "name", "execve") && has_string(o, "/bin/cat");
		if (!is(o, "name", "openat") || !has_string(o, "/etc/passwd"))
			continue;
		expect_true(is(o, "comm", "cat"));
		expect_true(!strncmp(text(o, "text"),
				     "openat(AT_FDCWD, \"/etc/passwd\", 0x", 34));
		openings++;
	}
	expect_count(array, 1, openings);
	expect_count(array, 1, starts);
	json_object_put(array);
}

/* At the entry, where all pass; those of others are left out. */
static void test_all(struct qemu *qemu)
{
	json_object *array, *o;
	uint64_t pid = 0, all = 0;
	size_t i;

	begin(qemu, "--comm chores syscall");
	call(qemu);
	array = end(qemu);
	expect_count(array, CALLS,
		     count(array, "syscall", "getppid", "chores"));
	expect(length(array), count(array, "syscall", NULL, "chores"));
	for (i = 0; i + 1 < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		if (is(o, "name", "getppid"))
			pid = number(o, "pid");
	}
	for (i = 0; i + 1 < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		if (number(o, "pid") != pid)
			continue;
		expect(addresses[0], number(o, "rip"));
		expect_true(is(o, "name", "getppid") ||
			    is(o, "name", "exit_group"));
		all++;
	}
	expect(CALLS + 1, all);
	json_object_put(array);
}

/* Where it begins, so that nothing else is seen; and the same without symbols. */
static void test_one(struct qemu *qemu)
{
	json_object *array;

	begin(qemu, "syscall getppid");
	call(qemu);
	array = end(qemu);
	expect(length(array), count(array, "syscall", "getppid", NULL));
	expect_count(array, CALLS,
		     count(array, "syscall", "getppid", "chores"));
	expect(addresses[1], number(json_object_array_get_idx(array, 0), "rip"));
	json_object_put(array);

	begin(qemu, "--no-symbols syscall 110");
	call(qemu);
	array = end(qemu);
	expect_count(array, CALLS, count(array, "syscall", "getppid", NULL));
	expect(CALLS, length(array));
	json_object_put(array);
}

/* Each call of this process has the one result that is right. */
static void test_return(struct qemu *qemu)
{
	int right = 0, missing = 0, i;
	json_object *array, *o;
	uint64_t parent;

	parent = strtoull(qemu_run(qemu, 0, "pidof chores"), NULL, 10);
	expect_true(parent > 0);
	begin(qemu, "--return syscall getppid openat");
	call(qemu);
	qemu_run(qemu, 1, "cat /nowhere 2>/dev/null");
	array = end(qemu);
	for (i = 0; i < length(array); i++) {
		o = json_object_array_get_idx(array, i);
		expect_true(is(o, "name", "getppid") || is(o, "name", "openat"));
		if (is(o, "name", "getppid") && is(o, "comm", "chores")) {
			expect(parent, number(o, "result"));
			right++;
		}
		if (is(o, "name", "openat") && has_string(o, "/nowhere")) {
			expect_true(is(o, "error", "ENOENT"));
			expect_true(strstr(text(o, "text"), " = -2 ENOENT"));
			missing++;
		}
	}
	expect_count(array, CALLS, right);
	expect_count(array, 1, missing);
	json_object_put(array);
}

static void test_breakpoint(struct qemu *qemu)
{
	json_object *array, *o;
	size_t i;

	begin(qemu, "--comm chores breakpoint __x64_sys_getppid");
	call(qemu);
	array = end(qemu);
	expect(CALLS, length(array));
	for (i = 0; i + 1 < json_object_array_length(array); i++) {
		o = json_object_array_get_idx(array, i);
		expect_true(is(o, "event", "breakpoint"));
		expect_true(is(o, "comm", "chores"));
		expect_true(is(o, "symbol", "__x64_sys_getppid"));
		expect(addresses[1], number(o, "address"));
	}
	json_object_put(array);
}

/* A variable of the kernel that is written when the guest's shell says so. */
static void test_page(struct qemu *qemu)
{
	json_object *array, *o;
	int i, stores = 0;

	begin(qemu, "page sysctl_max_map_count");
	for (i = 0; i < STORES; i++)
		qemu_run(qemu, 0, "echo 65531 >/proc/sys/vm/max_map_count");
	array = end(qemu);
	for (i = 0; i < length(array); i++) {
		o = json_object_array_get_idx(array, i);
		expect_true(is(o, "event", "page"));
		if (!is(o, "symbol", "sysctl_max_map_count"))
			continue;
		expect_true(!strncmp(text(o, "writer"), "do_proc_", 8));
		stores++;
	}
	expect_count(array, STORES, stores);
	json_object_put(array);
	expect(65531, strtoull(qemu_run(qemu, 0, "cat /proc/sys/vm/max_map_count"),
			       NULL, 10));
}

/* Each switch that concerns the beacon: to it and away from it. */
static void test_switches(struct qemu *qemu)
{
	uint64_t pid = strtoull(qemu_run(qemu, 0, "pidof beacon"), NULL, 10);
	int i, there = 0, away = 0;
	json_object *array, *o;
	char words[64];

	expect_true(pid > 0);
	snprintf(words, sizeof(words), "--pid %lu cr3", pid);
	begin(qemu, words);
	qemu_run(qemu, 0, "ls /proc");
	qemu_expect_alive(qemu);
	array = end(qemu);
	for (i = 0; i < length(array); i++) {
		o = json_object_array_get_idx(array, i);
		expect_true(number(o, "pid") == pid ||
			    number(o, "next_pid") == pid);
		if (number(o, "next_pid") == pid) {
			expect_true(is(o, "next_comm", "beacon"));
			there += number(o, "pid") != pid;
		} else {
			expect_true(is(o, "comm", "beacon"));
			away++;
		}
	}
	note("%d switches to the beacon, %d away", there, away);
	expect_true(there > 0);
	json_object_put(array);
}

static void test_filters(struct qemu *qemu)
{
	json_object *array, *o, *rates;
	uint64_t calls = 0;
	size_t i;
	int j;

	begin(qemu, "--vcpu 1 --names cr3 syscall");
	qemu_run(qemu, 0, "ls /proc");
	call(qemu);
	array = end(qemu);
	for (j = 0; j < length(array); j++)
		expect(1, number(json_object_array_get_idx(array, j), "vcpu"));
	json_object_put(array);

	begin(qemu, "--rate --comm chores syscall");
	call(qemu);
	array = end(qemu);
	/* The last but one is of the whole time. */
	o = json_object_array_get_idx(array, length(array) - 1);
	expect_true(json_object_get_boolean(member(o, "is_all")));
	rates = member(o, "rates");
	for (i = 0; i < json_object_array_length(rates); i++) {
		o = json_object_array_get_idx(rates, i);
		expect_true(is(o, "comm", "chores"));
		if (is(o, "name", "getppid"))
			calls += number(o, "count");
	}
	expect(CALLS, calls);
	json_object_put(array);
}

static void test_errors(struct qemu *qemu)
{
	command_output(1, "trace -s %s breakpoint no_such_symbol 2>&1",
		       qemu->socket);
	command_output(1, "trace -s %s page no_such_symbol+8 2>&1",
		       qemu->socket);
}

int main(void)
{
	struct qemu_options options = { .object = "" };
	void (*const tests[])(struct qemu *qemu) = {
		test_path, test_all, test_one, test_return, test_breakpoint,
		test_page, test_switches, test_filters, test_errors,
	};
	struct qemu qemu;
	size_t i;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	find_places(&qemu);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		tests[i](&qemu);
		expect_code(&qemu);
	}
	expect(0, file_count(qemu.console, "BUG"));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	return 0;
}
