// SPDX-License-Identifier: GPL-2.0-only
/*
 * Symbols of a Debian guest as addresses, with KASLR: "kvmi disas" of a function
 * begins and ends where the guest says, has the bytes that QEMU's monitor reads
 * there, instructions that follow each other without a gap, and calls to what the
 * guest calls so; it shows where each vCPU is. "translate", "read" and "write" of
 * a symbol, and of an address of a process, are those of the guest.
 *
 * lab: calm aside timeout=300
 */
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/command.h"
#include "../lib/json.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

#define PATIENCE	(8 * DEADLINE_MS)
#define CODE_MAX	8192

/* All that it prints; to find the kernel takes a while. */
static const char *__attribute__((format(printf, 2, 3)))
patient(int status, const char *format, ...)
{
	static char words[300], text[1 << 20];
	static struct command command;
	struct pollfd p = { .events = POLLIN };
	size_t used = 0;
	va_list args;
	ssize_t n = 1;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	command_start(&command, "%s", words);
	for (p.fd = command.fd; n; used += n) {
		expect(1, must(poll(&p, 1, PATIENCE)));
		n = must(read(p.fd, text + used, sizeof(text) - 1 - used));
	}
	text[used] = '\0';
	expect(status, command_wait(&command));
	return text;
}

/* By the guest: a symbol, and the first behind it with another address. */
static uint64_t guest_symbol(struct qemu *qemu, const char *name,
			     uint64_t *next)
{
	char command[300];
	uint64_t gva;

	snprintf(command, sizeof(command),
		 "sort /proc/kallsyms | awk 'a && $1 != a { print a, $1; exit } $3 == \"%s\" { a = $1 }'",
		 name);
	if (sscanf(qemu_run(qemu, 0, command), "%lx %lx", &gva, next) != 2)
		fail("the guest has no %s", name);
	return gva;
}

/* By QEMU, with the tables of a vCPU that has the kernel mapped. */
static void monitor_read(struct qemu *qemu, uint64_t gva, uint8_t *data,
			 size_t size)
{
	char path[128], arguments[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/bytes", qemu->folder);
	snprintf(arguments, sizeof(arguments),
		 "{ 'val': %" PRIu64 ", 'size': %zu, 'filename': '%s' }", gva,
		 size, path);
	qmp(&qemu->qmp, "memsave", arguments);
	file = fopen(path, "r");
	expect_true(file);
	expect(size, fread(data, 1, size, file));
	fclose(file);
}

static size_t unhex(const char *text, uint8_t *data)
{
	unsigned int byte;
	size_t n;

	for (n = 0; sscanf(text + 2 * n, "%2x", &byte) == 1; n++)
		data[n] = (uint8_t)byte;
	return n;
}

/* A call names what is called, and the guest has that there. */
static bool is_call_right(json_object *row, uint64_t target, const char *name)
{
	const char *what = json_text(row, "instruction");
	const char *symbol = json_text(row, "target_symbol");

	if (!what || strncmp(what, "call ", 5) || !symbol ||
	    strcmp(symbol, name))
		return false;
	expect(target, json_number(row, "target"));
	return true;
}

/* do_syscall_64 calls x64_sys_call, in this kernel. */
static void test_function(struct qemu *qemu)
{
	uint64_t from, end, at, callee, unused;
	uint8_t want[CODE_MAX], got[16];
	json_object *all, *code, *row;
	size_t i, size, calls = 0;

	note("a function");
	from = guest_symbol(qemu, "do_syscall_64", &end);
	callee = guest_symbol(qemu, "x64_sys_call", &unused);
	expect_true(end - from < CODE_MAX);
	monitor_read(qemu, from, want, end - from);
	all = json_parse(patient(0, "disas -s %s --json do_syscall_64",
				 qemu->socket));
	expect(1, json_object_array_length(all));
	json_object_object_get_ex(json_object_array_get_idx(all, 0), "code",
				  &code);
	for (i = 0, at = from; i < json_object_array_length(code); i++) {
		row = json_object_array_get_idx(code, i);
		expect(at, json_number(row, "address"));
		expect_true(json_text(row, "instruction"));
		size = unhex(json_text(row, "bytes"), got);
		expect_bytes(want + (at - from), got, size);
		calls += is_call_right(row, callee, "x64_sys_call");
		at += size;
	}
	note("%zu instructions, %zu calls of x64_sys_call", i, calls);
	expect(end, at);
	expect(1, calls);
	row = json_object_array_get_idx(code, 0);
	expect(0, strcmp("do_syscall_64", json_text(row, "symbol")));
	row = json_object_array_get_idx(code, 1);
	expect(0, strncmp("do_syscall_64+0x", json_text(row, "symbol"), 16));
	json_object_put(all);
}

static void test_table(struct qemu *qemu)
{
	uint64_t from, unused;
	const char *text;
	char want[80];

	note("a table");
	from = guest_symbol(qemu, "do_syscall_64", &unused);
	text = patient(0, "disas -s %s do_syscall_64+4 3", qemu->socket);
	snprintf(want, sizeof(want), "%lx do_syscall_64+0x4 ", from + 4);
	if (!strstr(text, want))
		fail("no '%s' in\n%s", want, text);
	patient(1, "disas -s %s no_such_symbol_here", qemu->socket);
}

/* Each vCPU is in its kernel or its program, which can be read. */
static void test_where(struct qemu *qemu)
{
	json_object *all, *listing, *code;
	int i;

	note("where the vCPUs are");
	all = json_parse(patient(0, "disas -s %s --json -n 2", qemu->socket));
	expect(2, json_object_array_length(all));
	for (i = 0; i < 2; i++) {
		listing = json_object_array_get_idx(all, i);
		expect(i, json_number(listing, "vcpu"));
		json_object_object_get_ex(listing, "code", &code);
		expect(2, json_object_array_length(code));
	}
	json_object_put(all);
}

static uint64_t beacon(struct qemu *qemu, uint64_t *gpa)
{
	FILE *console = fopen(qemu->console, "r");
	char line[1024];
	uint64_t gva = 0;

	expect_true(console);
	while (!gva && fgets(line, sizeof(line), console))
		sscanf(line, "beacon: at gva %lx gpa %lx", &gva, gpa);
	fclose(console);
	expect_true(gva);
	return gva;
}

/* Both addresses of what is found, and what the kernel calls it. */
static void test_search(struct qemu *qemu, uint64_t gva, uint64_t gpa,
			const char *version)
{
	json_object *o, *match = NULL;
	size_t i;

	note("search by virtual addresses");
	o = json_parse(patient(0, "search -s %s --json --virtual '%.60s'",
			       qemu->socket, version));
	/* The kernel has it elsewhere as well, as in its log. */
	for (i = 0; i < json_object_array_length(o); i++) {
		match = json_object_array_get_idx(o, i);
		note("%s", json_object_to_json_string(match));
		if (json_number(match, "gva") == gva)
			break;
	}
	expect_true(i < json_object_array_length(o));
	expect(gpa, json_number(match, "gpa"));
	expect(0, strcmp("linux_banner", json_text(match, "symbol")));
	json_object_put(o);
	patient(1, "search -s %s --virtual --start linux_banner+1 --end linux_banner+200 '%.60s'",
		qemu->socket, version);
}

static void test_kernel_memory(struct qemu *qemu)
{
	uint64_t gva, next, gpa;
	char version[128], text[200];

	note("symbols of the kernel");
	gva = guest_symbol(qemu, "linux_banner", &next);
	snprintf(version, sizeof(version), "%s",
		 qemu_run(qemu, 0, "cat /proc/version"));
	expect_true(strlen(version) > 100);
	expect_bytes(version, patient(0, "read -s %s --virtual --raw linux_banner 100",
				      qemu->socket), 100);
	expect_bytes(version + 14,
		     patient(0, "read -s %s --virtual --raw linux_banner+14 60",
			     qemu->socket), 60);
	snprintf(text, sizeof(text), "%s",
		 patient(0, "translate -s %s linux_banner", qemu->socket));
	expect(2, sscanf(text, "%*[^\n] %lx 0x%lx", &next, &gpa));
	expect(gva, next);
	expect_bytes(version, command_output(0, "read -s %s --raw 0x%lx 100",
					     qemu->socket, gpa), 100);
	test_search(qemu, gva, gpa, version);
	note("a variable of the kernel");
	patient(0, "write -s %s --virtual panic_timeout 7b:00:00:00",
		qemu->socket);
	expect(123, atoi(qemu_run(qemu, 0, "cat /proc/sys/kernel/panic")));
}

static void test_process(struct qemu *qemu)
{
	uint64_t gva, gpa, shown, found;
	char text[200];
	json_object *o;
	int pid;

	note("a process");
	gva = beacon(qemu, &gpa);
	pid = atoi(qemu_run(qemu, 0, "pidof beacon"));
	expect_true(pid > 0);
	expect_bytes("all is well in the guest",
		     patient(0, "read -s %s --pid %d --raw 0x%lx 24",
			     qemu->socket, pid, gva), 24);
	snprintf(text, sizeof(text), "%s",
		 patient(0, "translate -s %s --pid %d 0x%lx", qemu->socket, pid,
			 gva));
	expect(2, sscanf(text, "%*[^\n] %lx 0x%lx", &shown, &found));
	expect(gva, shown);
	expect(gpa, found);
	patient(0, "write -s %s --pid %d 0x%lx --string 'the tool was here'",
		qemu->socket, pid, gva);
	qemu_wait_console(qemu, "beacon: the tool was here", 1);
	o = json_parse(patient(0, "search -s %s --json --pid %d --start 0x%lx --end 0x%lx 'tool was here'",
			       qemu->socket, pid, gva & ~0xffful,
			       (gva & ~0xffful) + 4096));
	expect(1, json_object_array_length(o));
	expect(gva + 4, json_number(json_object_array_get_idx(o, 0), "gva"));
	expect(gpa + 4, json_number(json_object_array_get_idx(o, 0), "gpa"));
	json_object_put(o);
	patient(1, "read -s %s --pid 2 --raw 0x%lx 24", qemu->socket, gva);
	patient(1, "read -s %s --pid %d --raw 0 24", qemu->socket, pid);
}

int main(void)
{
	struct qemu_options options = { .object = "", .append = "pti=off" };
	struct qemu qemu;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	test_function(&qemu);
	test_table(&qemu);
	test_where(&qemu);
	test_kernel_memory(&qemu);
	test_process(&qemu);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
	return 0;
}
