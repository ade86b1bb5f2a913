// SPDX-License-Identifier: GPL-2.0-only
/*
 * "kvmi gdbserver" and Debian's gdb on a Debian guest: threads, a breakpoint that
 * each vCPU hits, the way to it, the step over it, registers and memory that gdb
 * changes, a watchpoint. When gdb has left, whether by detach, by SIGKILL or
 * because QEMU wants the guest for itself, the kernel's text is what it was; not
 * so when the tool is killed.
 *
 * lab: calm aside gdb timeout=420
 */
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/command.h"
#include "../lib/qemu.h"
#include "../lib/test.h"

/* Symbols of the guest, by its own word. */
static uint64_t stext, etext, target, panic_timeout;

struct text {
	char path[128];
	uint64_t gpa;
};

static uint64_t symbol(const char *list, const char *name)
{
	char mark[64];
	char *at;

	snprintf(mark, sizeof(mark), " %s\n", name);
	at = strstr(list, mark);
	if (!at)
		fail("the guest does not know %s", name);
	while (at > list && at[-1] != '\n')
		at--;
	return strtoull(at, NULL, 16);
}

static void read_symbols(struct qemu *qemu)
{
	const char *list;

	list = qemu_run(qemu, 0, "grep -E ' (_stext|_etext|__x64_sys_sethostname|panic_timeout)$' /proc/kallsyms");
	stext = symbol(list, "_stext");
	etext = symbol(list, "_etext");
	target = symbol(list, "__x64_sys_sethostname");
	panic_timeout = symbol(list, "panic_timeout");
	note("text 0x%lx to 0x%lx", stext, etext);
}

/* The kernel's whole text as it is, in a file. */
static void save_text(struct qemu *qemu, struct text *text, const char *name)
{
	snprintf(text->path, sizeof(text->path), "%s/%s", qemu->folder, name);
	if (!text->gpa)
		sscanf(command_output(0, "translate -s %s 0x%lx", qemu->socket,
				      stext), "%*[^\n] %*x %lx", &text->gpa);
	expect_true(text->gpa);
	command_output(0, "read -s %s -o %s 0x%lx 0x%lx", qemu->socket,
		       text->path, text->gpa, etext - stext);
}

static void *map_file(const char *path, size_t size)
{
	int fd = must(open(path, O_RDONLY | O_CLOEXEC));
	void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);

	expect_true(bytes != MAP_FAILED);
	close(fd);
	return bytes;
}

static void expect_text(struct qemu *qemu, const struct text *before)
{
	struct text now = { .gpa = before->gpa };
	size_t size = etext - stext;
	uint8_t *a, *b;

	save_text(qemu, &now, "text-now");
	a = map_file(before->path, size);
	b = map_file(now.path, size);
	if (memcmp(a, b, size)) {
		for (size_t i = 0; i < size; i++)
			if (a[i] != b[i])
				note("text at 0x%lx: 0x%02x, now 0x%02x",
				     stext + i, a[i], b[i]);
		fail("the kernel's text has changed");
	}
	munmap(a, size);
	munmap(b, size);
}

/* gdb, which does what the script says; what it prints is in a file. */
struct gdb {
	pid_t pid;
	char script[128], output[128];
};

static void gdb_start(struct qemu *qemu, struct gdb *gdb, const char *format,
		      ...)
{
	va_list args;
	FILE *file;

	snprintf(gdb->script, sizeof(gdb->script), "%s/script", qemu->folder);
	snprintf(gdb->output, sizeof(gdb->output), "%s/output", qemu->folder);
	unlink(gdb->output);
	file = fopen(gdb->script, "w");
	expect_true(file);
	fputs("set confirm off\nset pagination off\nset width 0\n"
	      "set remotetimeout 30\nset tcp connect-timeout 30\n", file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
	fflush(NULL);
	gdb->pid = must(fork());
	if (!gdb->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* To be killed with what it has started. */
		setpgid(0, 0);
		dup2(must(open(gdb->output, O_WRONLY | O_CREAT | O_APPEND,
			       0600)), 1);
		dup2(1, 2);
		execlp("gdb", "gdb", "-nx", "-batch", "-x", gdb->script, NULL);
		_exit(127);
	}
}

static char *gdb_output(const struct gdb *gdb)
{
	static char text[65536];
	int fd = open(gdb->output, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : must(read(fd, text, sizeof(text) - 1));

	close(fd);
	text[n] = '\0';
	return text;
}

static void gdb_wait_for(const struct gdb *gdb, const char *what)
{
	uint64_t end = now_ms() + 8 * DEADLINE_MS;

	while (!strstr(gdb_output(gdb), what)) {
		if (now_ms() > end)
			fail("gdb does not print '%s', but: %s", what,
			     gdb_output(gdb));
		sleep_ms(50);
	}
}

static void expect_printed(const struct gdb *gdb, const char *what)
{
	if (!strstr(gdb_output(gdb), what))
		fail("gdb has not printed '%s', but: %s", what,
		     gdb_output(gdb));
}

static void server_start(struct qemu *qemu, struct command *server,
			 const char *options)
{
	const char *line;

	command_start(server, "gdbserver -s %s --listen %s/gdbserver %s",
		      qemu->socket, qemu->folder, options);
	line = command_line(server, 8 * DEADLINE_MS);
	expect_true(line && strstr(line, "target remote"));
}

/* A shell and no more changes the name. */
static void set_names(struct qemu *qemu, const char *command)
{
	qemu_run(qemu, -1, command);
}

static void expect_name(struct qemu *qemu, const char *want)
{
	const char *got = qemu_run(qemu, 0, "hostname");

	if (strncmp(got, want, strlen(want)) || got[strlen(want)] != '\n')
		fail("the guest's name is not '%s', but: %s", want, got);
}

/*
 * struct pt_regs of a system call: rsi, the length, is at 104. The second call is
 * turned into one that fails.
 */
static const char tour[] =
	"file %s/kernel.elf\n"
	"target remote %s/gdbserver\n"
	"info threads\n"
	"break *__x64_sys_sethostname\n"
	"watch *(int *)&panic_timeout\n"
	"echo ready one\\n\n"
	"continue\n"
	"echo first on $_thread:\n"
	"print $_thread\n"
	"bt\n"
	"x/2i $pc\n"
	"set {long}($rdi + 104) = 2\n"
	"stepi\n"
	"x/i $pc\n"
	"finish\n"
	"echo finished\\n\n"
	"continue\n"
	"print $_thread\n"
	"bt 2\n"
	"set $rax = -1\n"
	"set $pc = *(long *)$rsp\n"
	"set $rsp = $rsp + 8\n"
	"delete 1\n"
	"echo ready two\\n\n"
	"continue\n"
	"print $_thread\n"
	"bt\n"
	"info registers rip cr3 gs_base\n"
	"delete\n"
	"rwatch *(int *)&panic_timeout\n"
	"echo ready three\\n\n"
	"continue\n"
	"delete\n"
	"monitor info\n"
	"monitor kaslr\n"
	"detach\n"
	"echo done\\n\n";

static void test_tour(struct qemu *qemu)
{
	static struct command server;
	char want[64], symbols[160];
	struct gdb gdb;

	note("tour");
	snprintf(symbols, sizeof(symbols), "--once --symbols %s/kernel.elf",
		 qemu->folder);
	server_start(qemu, &server, symbols);
	gdb_start(qemu, &gdb, tour, qemu->folder, qemu->folder);
	gdb_wait_for(&gdb, "ready one");
	note("hits");
	set_names(qemu, "taskset 1 hostname zero; taskset 2 hostname one; hostname");
	gdb_wait_for(&gdb, "ready two");
	note("watch");
	set_names(qemu, "echo 77 >/proc/sys/kernel/panic");
	gdb_wait_for(&gdb, "ready three");
	expect(77, atoi(qemu_run(qemu, 0, "cat /proc/sys/kernel/panic")));
	gdb_wait_for(&gdb, "done\n");
	expect(0, wait_child(gdb.pid));
	expect(0, command_wait(&server));
	fputs(gdb_output(&gdb), stderr);

	expect_printed(&gdb, "Thread 1 \"vCPU 0\"");
	expect_printed(&gdb, "Thread 2 \"vCPU 1\"");
	expect_printed(&gdb, "Thread 1 \"vCPU 0\" hit Breakpoint 1");
	expect_printed(&gdb, "Thread 2 \"vCPU 1\" hit Breakpoint 1");
	expect_printed(&gdb, "in do_syscall_64 ()");
	/* Behind the entry is the program. */
	expect_printed(&gdb, "#2  <signal handler called>\n#3  0x00000000004");
	expect_printed(&gdb, " in do_syscall_64 ()\nfinished\n");
	snprintf(want, sizeof(want), "=> 0x%lx <__x64_sys_sethostname>:",
		 target);
	expect_printed(&gdb, want);
	expect_printed(&gdb, "<__x64_sys_sethostname+4>:");
	expect_printed(&gdb, "Old value = -1\nNew value = 77\n");
	expect_printed(&gdb, "Value = 77\n");
	/* Memory that gdb has changed, and registers. */
	expect_name(qemu, "ze");
	expect(77, atoi(qemu_run(qemu, 0, "cat /proc/sys/kernel/panic")));
}

/* Each vCPU comes there ten times, and none of these is missed. */
static void test_crowd(struct qemu *qemu)
{
	static const char loop[] = "for i in 0 1 2 3 4 5 6 7 8 9; do hostname crowd; done";
	char command[256];
	struct gdb gdb;

	note("both vCPUs at once");
	gdb_start(qemu, &gdb, "target remote %s/gdbserver\nbreak *0x%lx\n"
		  "ignore 1 19\necho ready\\n\ncontinue\ninfo breakpoints\n"
		  "delete\ndetach\n", qemu->folder, target);
	gdb_wait_for(&gdb, "ready");
	snprintf(command, sizeof(command),
		 "taskset 1 sh -c '%s' & taskset 2 sh -c '%s'; wait", loop,
		 loop);
	qemu_run(qemu, 0, command);
	expect(0, wait_child(gdb.pid));
	expect_printed(&gdb, "breakpoint already hit 20 times");
	expect_name(qemu, "crowd");
}

static void test_interrupt(struct qemu *qemu)
{
	struct gdb gdb;

	note("Ctrl-C");
	gdb_start(qemu, &gdb, "target remote %s/gdbserver\n"
		  "echo ready\\n\ncontinue\n", qemu->folder);
	gdb_wait_for(&gdb, "ready");
	sleep_ms(2000);
	kill(gdb.pid, SIGINT);
	wait_child(gdb.pid);
	expect_printed(&gdb, "received signal SIGINT");
	qemu_expect_alive(qemu);
}

/* Has gdb set a breakpoint and let the guest run. */
static void gdb_start_break(struct qemu *qemu, struct gdb *gdb)
{
	gdb_start(qemu, gdb, "target remote %s/gdbserver\nbreak *0x%lx\n"
		  "echo ready\\n\ncontinue\necho stopped\\n\nshell sleep 100\n",
		  qemu->folder, target);
	gdb_wait_for(gdb, "ready");
	/* What it prints of that need not be here yet. */
	sleep_ms(2000);
}

/* At a breakpoint, or while the guest runs, gdb is gone without a word. */
static void test_killed(struct qemu *qemu, bool is_stopped)
{
	struct gdb gdb;

	note("gdb is killed %s", is_stopped ? "at a breakpoint" : "meanwhile");
	gdb_start_break(qemu, &gdb);
	if (is_stopped) {
		/* Nobody waits for this one. */
		expect(25, must(write(qemu->keys, "run hostname from-killed\n",
				      25)));
		gdb_wait_for(&gdb, "stopped");
	}
	kill(-gdb.pid, SIGKILL);
	expect(128 + SIGKILL, wait_child(gdb.pid));
	qemu_expect_alive(qemu);
	set_names(qemu, "hostname alive");
	expect_name(qemu, "alive");
}

/* The one that could take it back is gone: the INT3 is there, and nothing else. */
static void test_server_killed(struct qemu *qemu, const struct text *text)
{
	uint64_t gpa = text->gpa + (target - stext);
	static struct command server;
	struct gdb gdb;

	note("the server is killed");
	server_start(qemu, &server, "");
	gdb_start_break(qemu, &gdb);
	kill(server.pid, SIGKILL);
	expect(128 + SIGKILL, command_wait(&server));
	kill(-gdb.pid, SIGKILL);
	wait_child(gdb.pid);
	qemu_expect_alive(qemu);
	/* That of an ENDBR, of which the first byte is not there. */
	expect_bytes("\xcc\x0f\x1e\xfa",
		     command_output(0, "read -s %s --raw 0x%lx 4",
				    qemu->socket, gpa), 4);
	command_output(0, "write -s %s 0x%lx f3", qemu->socket, gpa);
	expect_text(qemu, text);
	set_names(qemu, "hostname healed");
	expect_name(qemu, "healed");
}

/* QEMU asks the tool to leave before it stops the guest. */
static void test_stop(struct qemu *qemu, struct command *server)
{
	struct gdb gdb;

	note("QEMU stops the guest");
	gdb_start_break(qemu, &gdb);
	qmp(&qemu->qmp, "stop", NULL);
	gdb_wait_for(&gdb, "stopped");
	expect_printed(&gdb, "exited normally");
	kill(-gdb.pid, SIGKILL);
	wait_child(gdb.pid);
	expect(0, command_wait(server));
	qmp(&qemu->qmp, "cont", NULL);
	qemu_expect_alive(qemu);
}

int main(void)
{
	struct qemu_options options = { .object = "", .append = "" };
	static struct command server;
	struct text before = { 0 };
	struct qemu qemu;

	qemu_prepare(&qemu);
	qemu_start(&qemu, &options);
	qemu_wait_console(&qemu, "beacon: ", 2);
	read_symbols(&qemu);
	save_text(&qemu, &before, "text-before");
	note("text saved");
	test_tour(&qemu);
	expect_text(&qemu, &before);

	server_start(&qemu, &server, "");
	test_crowd(&qemu);
	test_interrupt(&qemu);
	test_killed(&qemu, false);
	test_killed(&qemu, true);
	test_stop(&qemu, &server);
	expect_text(&qemu, &before);
	test_server_killed(&qemu, &before);
	expect(0, file_count(qemu.console, "BUG"));
	qemu_quit(&qemu);
	return 0;
}
