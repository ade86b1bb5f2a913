// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi ps" and "kvmi modules" of a Debian guest: they list what the guest's own
 * shell lists, with the same names, parents, users, threads, sizes and addresses.
 * A process and a module that a module hides in the guest are not in the shell's
 * lists any more, but in these, and marked, until they are shown again. While the
 * guest makes processes without end nothing is called hidden.
 *
 * lab: calm aside timeout=400
 */
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define BUSY_RUNS 5

#define STATUS \
	"cat /proc/[0-9]*/status 2>/dev/null | awk '/^(Name|Pid|PPid|Uid):/ " \
	"{ printf \"%s \", $2 } /^Threads/ { print $2 }'"

struct process {
	char name[64];
	int pid, ppid, uid, threads;
};

static char list_text[131072];

static int number(json_object *o, const char *name)
{
	return (int)json_number(o, name);
}

/* Its first look for the kernel's symbols takes an emulated machine long. */
static json_object *__attribute__((format(printf, 2, 3)))
ask(int status, const char *format, ...)
{
	static struct command command;
	char words[200];
	size_t used = 0;
	const char *line;
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	command_start(&command, "%s --json", words);
	list_text[0] = '\0';
	while ((line = command_line(&command, 6 * DEADLINE_MS))) {
		used += snprintf(list_text + used, sizeof(list_text) - used,
				 "%s\n", line);
		expect_true(used < sizeof(list_text));
	}
	expect(status, command_wait(&command));
	return json_parse(list_text);
}

/* The object of this pid, NULL: none. */
static json_object *find(json_object *list, const char *key, int value)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		if (number(json_object_array_get_idx(list, i), key) == value)
			return json_object_array_get_idx(list, i);
	return NULL;
}

static json_object *find_name(json_object *list, const char *name)
{
	json_object *o;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		if (!strcmp(json_object_get_string(json_field(o, "name")), name))
			return o;
	}
	return NULL;
}

static int last_pid(json_object *list)
{
	size_t count = json_object_array_length(list);

	return number(json_object_array_get_idx(list, count - 1), "pid");
}

static int count_hidden(json_object *list)
{
	json_object *o;
	int count = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		count += !!json_object_array_length(json_field(o, "hidden"));
	}
	return count;
}

static int count_running(json_object *list)
{
	int count = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++)
		count += !!json_field(json_object_array_get_idx(list, i), "vcpu");
	return count;
}

static bool is_hidden(json_object *o, const char *list)
{
	json_object *entry, *hidden = json_field(o, "hidden");
	size_t i;

	for (i = 0; i < json_object_array_length(hidden); i++) {
		entry = json_object_array_get_idx(hidden, i);
		if (!strcmp(json_object_get_string(entry), list))
			return true;
	}
	return false;
}

static bool next_process(const char **at, struct process *p)
{
	int size;

	if (sscanf(*at, "%63s %d %d %d %d\n%n", p->name, &p->pid, &p->ppid,
		   &p->uid, &p->threads, &size) != 5)
		return false;
	*at += size;
	return true;
}

static int count_threads(json_object *threads, int process)
{
	int count = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(threads); i++)
		count += number(json_object_array_get_idx(threads, i),
				"process") == process;
	return count;
}

/* /proc adds to the name of a worker of the kernel what it works at. */
static void expect_process(json_object *o, const struct process *p)
{
	const char *name = json_object_get_string(json_field(o, "name"));

	if (strncmp(name, p->name, strlen(name)))
		fail("process %d is %s, not %s", p->pid, p->name, name);
	expect(p->ppid, number(o, "ppid"));
	expect(p->uid, number(o, "uid"));
}

/* The only file, with the VM's UUID, which nobody else can read. */
static void cache_file(const char *folder, char *path, size_t room)
{
	glob_t found;

	snprintf(path, room, "%s/" QEMU_UUID "-*.profile", folder);
	expect(0, glob(path, 0, NULL, &found));
	expect(1, found.gl_pathc);
	snprintf(path, room, "%s", found.gl_pathv[0]);
	globfree(&found);
}

static void expect_cached(const char *folder)
{
	char path[256];
	struct stat st;

	cache_file(folder, path, sizeof(path));
	expect(0, stat(path, &st));
	expect(0600, st.st_mode & 0777);
	expect_true(st.st_size > 1 << 20);
}

static void damage(const char *folder)
{
	char path[256], byte;
	int fd;

	cache_file(folder, path, sizeof(path));
	fd = must(open(path, O_RDWR));
	expect(1, pread(fd, &byte, 1, 1 << 20));
	byte ^= 1;
	expect(1, pwrite(fd, &byte, 1, 1 << 20));
	close(fd);
}

/* Without the cache the tool searches the guest's memory for its symbols. */
static void test_cache(struct qemu *qemu, const char *folder)
{
	uint64_t start = now_ms(), first, again;

	note("cache");
	json_object_put(ask(0, "ps -s %s", qemu->socket));
	first = now_ms() - start;
	start = now_ms();
	json_object_put(ask(0, "ps -s %s", qemu->socket));
	again = now_ms() - start;
	note("ps takes %d ms, then %d ms", (int)first, (int)again);
	expect_true(again < first);
	expect_cached(folder);
	/* None is made where it is off. */
	setenv("KVMI_CACHE", "off", 1);
	json_object_put(ask(0, "ps -s %s", qemu->socket));
	setenv("KVMI_CACHE", folder, 1);
	/* A damaged one is as none, and is replaced. */
	damage(folder);
	json_object_put(ask(0, "ps -s %s", qemu->socket));
	expect_cached(folder);
}

/* What the guest lists is in the tool's list, or came later; and the reverse. */
static void test_processes(struct qemu *qemu)
{
	json_object *before, *after, *o;
	const char *at, *text;
	struct process p;
	size_t i, seen = 0, count = 0;
	char line[32];

	note("processes");
	before = ask(0, "ps -s %s --check --threads", qemu->socket);
	at = text = qemu_run(qemu, 0, STATUS);
	after = ask(0, "ps -s %s", qemu->socket);
	while (next_process(&at, &p)) {
		o = find(before, "pid", p.pid);
		if (!o && p.pid < last_pid(before))
			fail("ps lacks %d (%s)", p.pid, p.name);
		if (!o)
			continue;
		expect_process(o, &p);
		expect(p.threads, count_threads(before, p.pid));
		seen += p.uid == 4711 && p.threads == 2;
		count++;
	}
	expect(1, seen);
	expect_true(count > 20);
	for (i = 0; i < json_object_array_length(after); i++) {
		o = json_object_array_get_idx(after, i);
		if (!find(before, "pid", number(o, "pid")))
			continue;
		snprintf(line, sizeof(line), " %d %d %d ", number(o, "pid"),
			 number(o, "ppid"), number(o, "uid"));
		if (!strstr(text, line))
			fail("the guest has no process%s", line);
	}
	json_object_put(before);
	json_object_put(after);
}

static void expect_state(const char *state, json_object *o)
{
	const char *word = json_object_get_string(json_field(o, "state"));

	expect_true(!strcmp(word, "live") == !strcmp(state, "Live"));
}

static void test_modules(struct qemu *qemu)
{
	unsigned long size, base;
	const char *at;
	char name[64], state[16];
	json_object *list, *o;
	int refs, used, count = 0;

	note("modules");
	qemu_run(qemu, 0, "modprobe vmw_vsock_virtio_transport; insmod /lib/modules/hide.ko");
	list = ask(0, "modules -s %s --check", qemu->socket);
	at = qemu_run(qemu, 0, "sed 's/,//g' /proc/modules | while read -r n s r d t b _; do echo $n $s $r $t $b; done");
	while (sscanf(at, "%63s %lu %d %15s %lx\n%n", name, &size, &refs, state,
		      &base, &used) == 5) {
		at += used;
		o = find_name(list, name);
		if (!o)
			fail("modules lacks %s", name);
		expect(size, number(o, "size"));
		expect(refs, number(o, "refs"));
		expect(base, json_number(o, "base"));
		expect_state(state, o);
		count++;
	}
	expect_true(count > 3);
	expect(count, json_object_array_length(list));
	expect_true(find_name(list, "hide"));
	expect(0, count_hidden(list));
	json_object_put(list);
}

/* The guest's shell no longer finds what the tool finds and marks. */
static void test_hidden(struct qemu *qemu, int pid)
{
	char command[160];
	json_object *list, *o;
	const char *table;

	note("hidden");
	snprintf(command, sizeof(command),
		 "cd /sys/module/hide/parameters; echo %d >pid && echo 1 >self",
		 pid);
	qemu_run(qemu, 0, command);
	snprintf(command, sizeof(command), "ps | grep -q '^ *%d '", pid);
	qemu_run(qemu, 1, command);
	qemu_run(qemu, 1, "grep -q '^hide ' /proc/modules");
	qemu_run(qemu, 1, "rmmod hide 2>/dev/null");

	list = ask(1, "ps -s %s --check", qemu->socket);
	o = find(list, "pid", pid);
	expect_true(o);
	expect(1, count_hidden(list));
	expect_true(is_hidden(o, "tasks") && is_hidden(o, "pids"));
	expect_true(!is_hidden(o, "children") && !is_hidden(o, "threads"));
	json_object_put(list);

	list = ask(1, "modules -s %s --check", qemu->socket);
	o = find_name(list, "hide");
	expect_true(o);
	expect(1, count_hidden(list));
	expect_true(is_hidden(o, "modules") && !is_hidden(o, "addresses"));
	json_object_put(list);

	table = command_output(0, "ps -s %s 2>&1", qemu->socket);
	expect_true(strstr(table, "hidden: not in the task list, not in the table of pids\n"));
	expect_true(strstr(table, "hidden in the guest: 1"));
	table = command_output(0, "modules -s %s 2>&1", qemu->socket);
	expect_true(strstr(table, "hidden: not in the list of modules\n"));
}

/* One list at a time, then none; the guest is as it was. */
static void test_shown(struct qemu *qemu, int pid)
{
	char command[160];
	json_object *list, *o;

	note("shown");
	qemu_run(qemu, 0, "echo 0 >/sys/module/hide/parameters/self");
	snprintf(command, sizeof(command),
		 "cd /sys/module/hide/parameters; echo 0 >pid; echo 1 >lists; echo %d >pid",
		 pid);
	qemu_run(qemu, 0, command);
	snprintf(command, sizeof(command), "ps | grep -q '^ *%d '", pid);
	qemu_run(qemu, 0, command);
	list = ask(1, "ps -s %s --check", qemu->socket);
	o = find(list, "pid", pid);
	expect_true(o && is_hidden(o, "tasks") && !is_hidden(o, "pids"));
	json_object_put(list);

	qemu_run(qemu, 0, "rmmod hide");
	list = ask(0, "ps -s %s --check", qemu->socket);
	expect_true(find(list, "pid", pid));
	json_object_put(list);
	list = ask(0, "modules -s %s --check", qemu->socket);
	expect_true(!find_name(list, "hide"));
	json_object_put(list);
	snprintf(command, sizeof(command), "kill %d", pid);
	qemu_run(qemu, 0, command);
}

/* On each vCPU a shell starts one program after the other. */
static void test_busy(struct qemu *qemu)
{
	static const char loop[] =
		"for i in 0 1; do (while :; do /bin/busybox true; done) >/dev/null 2>&1 & done";
	uint64_t start;
	json_object *list;
	int i, first = 0, last = 0, running = 0;

	note("busy");
	qemu_run(qemu, 0, loop);
	start = now_ms();
	for (i = 0; i < BUSY_RUNS; i++) {
		list = ask(0, "ps -s %s --check --threads", qemu->socket);
		last = last_pid(list);
		running += count_running(list);
		if (!i)
			first = last;
		json_object_put(list);
	}
	note("%d lists in %d ms, of %d new processes", BUSY_RUNS,
	     (int)(now_ms() - start), last - first);
	expect_true(last - first > BUSY_RUNS);
	expect_true(running);
}

int main(void)
{
	/* The beacon's tables in user mode have hardly any kernel in them. */
	struct qemu_options options = {
		.object = "", .append = "pti=on beacon.spin=1",
	};
	char folder[128], command[160];
	struct qemu qemu;
	int pid;

	qemu_prepare(&qemu);
	snprintf(folder, sizeof(folder), "%s/cache", qemu.folder);
	setenv("KVMI_CACHE", folder, 1);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	expect(6, must(write(qemu.keys, "other\n", 6)));
	qemu_wait_console(&qemu, "of user 4711", 1);
	test_cache(&qemu, folder);
	test_processes(&qemu);
	test_modules(&qemu);
	pid = atoi(qemu_run(&qemu, 0, "sleep 100000 >/dev/null 2>&1 & echo $!"));
	test_hidden(&qemu, pid);
	test_shown(&qemu, pid);
	test_busy(&qemu);
	qemu_expect_alive(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	expect(0, file_count(qemu.console, "WARNING"));
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	expect(0, system(command));
	qemu_quit(&qemu);
	return 0;
}
