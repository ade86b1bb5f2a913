// SPDX-License-Identifier: GPL-2.0-only
/*
 * Our QEMU with a Debian guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu.h"
#include "test.h"

#define BOOT_MS		(8 * DEADLINE_MS)

/* A test that fails must not leave them behind. */
static struct qemu *all;

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

static void cleanup(struct qemu *qemu)
{
	struct qemu **link = &all;
	char command[128];

	while (*link != qemu)
		link = &(*link)->next;
	*link = qemu->next;
	if (qemu->gdb > 0)
		close(qemu->gdb);
	close(qemu->keys);
	if (qemu->pid > 0) {
		kill(qemu->pid, SIGKILL);
		waitpid(qemu->pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", qemu->folder);
	if (system(command))
		note("cannot remove %s", qemu->folder);
}

/* A failed test shows what each QEMU and its guest said. */
static void show(int status, void *unused)
{
	char command[256];

	(void)unused;
	while (all) {
		snprintf(command, sizeof(command),
			 "tail -n 12 '%s' '%s' >&2 2>/dev/null",
			 all->errors, all->console);
		if (status == TEST_FAILED && system(command))
			note("QEMU left no output");
		cleanup(all);
	}
}

/* QEMU waits for someone who writes when it opens this. */
static void make_keys(struct qemu *qemu)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/keys", qemu->folder);
	must(mkfifo(path, 0600));
	qemu->keys = must(open(path, O_RDWR | O_CLOEXEC));
}

void qemu_prepare(struct qemu *qemu)
{
	static bool registered;

	memset(qemu, 0, sizeof(*qemu));
	qemu->qmp.fd = -1;
	strcpy(qemu->folder, "/tmp/kvmi-test-XXXXXX");
	expect_true(mkdtemp(qemu->folder));
	snprintf(qemu->console, sizeof(qemu->console), "%s/console",
		 qemu->folder);
	snprintf(qemu->errors, sizeof(qemu->errors), "%s/errors",
		 qemu->folder);
	snprintf(qemu->socket, sizeof(qemu->socket), "%s/tool", qemu->folder);
	make_keys(qemu);
	qemu->next = all;
	all = qemu;
	if (!registered)
		on_exit(show, NULL);
	registered = true;
}

/* QEMU's command line; made in the child, which does not free it. */
struct words {
	char *word[64];
	int count;
};

static void __attribute__((format(printf, 2, 3)))
add(struct words *words, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	expect_true(vasprintf(&words->word[words->count++], format, args) >= 0);
	va_end(args);
	expect_true(words->count < 64);
}

static void add_machine(struct words *words)
{
	static const char *const fixed[] = {
		"-nodefaults", "-display", "none", "-M", "q35,accel=kvm",
		"-cpu", "host,la57=off", "-smp", "2", "-m", "256M",
		"-uuid", QEMU_UUID, "-name", "watched",
	};
	size_t i;

	add(words, "%s", setting("KVMI_QEMU", "qemu-system-x86_64"));
	add(words, "-L");
	add(words, "%s", setting("KVMI_QEMU_DATA", "/usr/share/qemu"));
	for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		add(words, "%s", fixed[i]);
}

static void add_guest(struct words *words, const struct qemu_options *options)
{
	const char *append = options->append;

	add(words, "-kernel");
	if (options->kernel) {
		add(words, "%s", options->kernel);
		return;
	}
	add(words, "%s", setting("KVMI_GUEST_KERNEL", "/l2/vmlinuz"));
	add(words, "-initrd");
	add(words, "%s", options->initrd ? options->initrd :
	    setting("KVMI_GUEST_INITRD", "/l2/initrd"));
	add(words, "-append");
	add(words, "console=ttyS0 loglevel=4 panic=-1 %s", append ? append : "");
}

static void add_channels(struct words *words, const struct qemu *qemu,
			 const struct qemu_options *options)
{
	int i;

	add(words, "-chardev");
	add(words, "file,id=console,path=%s,input-path=%s/keys",
	    qemu->console, qemu->folder);
	add(words, "-serial");
	add(words, "chardev:console");
	add(words, "-qmp");
	add(words, "unix:%s/qmp,server=on,wait=off", qemu->folder);
	add(words, "-gdb");
	add(words, "unix:%s/gdb,server=on,wait=off", qemu->folder);
	add(words, "-chardev");
	add(words, "socket,id=tool,path=%s,reconnect-ms=50", qemu->socket);
	for (i = 0; i < QEMU_MORE && options->more[i]; i++)
		add(words, "%s", options->more[i]);
	if (options->object) {
		add(words, "-object");
		add(words, "introspection,id=vmi,chardev=tool%s",
		    options->object);
	}
}

static void run(struct qemu *qemu, const struct qemu_options *options)
{
	struct words words = { .count = 0 };
	int fd;

	add_machine(&words);
	add_guest(&words, options);
	add_channels(&words, qemu, options);
	if (options->stopped)
		add(&words, "-S");

	/* It ends with the test, however that ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(qemu->errors, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execvp(words.word[0], words.word);
	fprintf(stderr, "%s: %s\n", words.word[0], strerror(errno));
	_exit(127);
}

static void spawn(struct qemu *qemu, const struct qemu_options *options)
{
	if (!options->kernel &&
	    access(setting("KVMI_GUEST_KERNEL", "/l2/vmlinuz"), R_OK))
		skip("no guest: KVMI_GUEST_KERNEL and _INITRD name none");
	fflush(NULL);
	qemu->pid = must(fork());
	if (!qemu->pid)
		run(qemu, options);
}

void qemu_start(struct qemu *qemu, const struct qemu_options *options)
{
	char path[128];

	spawn(qemu, options);
	snprintf(path, sizeof(path), "%s/qmp", qemu->folder);
	qmp_open(&qemu->qmp, path);
}

int qemu_start_fails(struct qemu *qemu, const struct qemu_options *options)
{
	spawn(qemu, options);
	return qemu_wait(qemu);
}

int qemu_wait(struct qemu *qemu)
{
	int status = wait_child(qemu->pid);

	qemu->pid = 0;
	return status;
}

void qemu_quit(struct qemu *qemu)
{
	__qmp(&qemu->qmp, "quit", NULL);
	expect(0, qemu_wait(qemu));
	qemu_kill(qemu);
}

void qemu_kill(struct qemu *qemu)
{
	qmp_close(&qemu->qmp);
	cleanup(qemu);
}

/* A debugger that connects, or says anything, stops the VM. */
void qemu_freeze(struct qemu *qemu)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (qemu->gdb) {
		expect(1, must(write(qemu->gdb, "\003", 1)));
	} else {
		snprintf(address.sun_path, sizeof(address.sun_path), "%s/gdb",
			 qemu->folder);
		qemu->gdb = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					0));
		must(connect(qemu->gdb, (void *)&address, sizeof(address)));
	}
	wait_for(!strcmp(qmp_ask(&qemu->qmp, "query-status", NULL, "status"),
			 "paused"));
}

void qemu_thaw(struct qemu *qemu)
{
	char said[512];

	/* What it told of the stop is acknowledged, and not of interest. */
	while (recv(qemu->gdb, said, sizeof(said), MSG_DONTWAIT) > 0)
		;
	expect(6, must(write(qemu->gdb, "+$c#63", 6)));
	wait_for(!strcmp(qmp_ask(&qemu->qmp, "query-status", NULL, "status"),
			 "running"));
}

int file_count(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[1024];
	int count = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

static void wait_lines(const char *path, const char *text, int count)
{
	uint64_t end = now_ms() + BOOT_MS;

	while (file_count(path, text) < count) {
		if (now_ms() > end)
			fail("%s: waited in vain for %d times: %s", path,
			     count, text);
		sleep_ms(20);
	}
}

void qemu_wait_console(struct qemu *qemu, const char *text, int count)
{
	wait_lines(qemu->console, text, count);
}

uint64_t qemu_console_number(struct qemu *qemu, const char *text)
{
	FILE *file = fopen(qemu->console, "r");
	uint64_t value = 0;
	char line[256], *at;

	expect_true(file);
	while (fgets(line, sizeof(line), file)) {
		at = strstr(line, text);
		if (at)
			value = strtoull(at + strlen(text), NULL, 0);
	}
	fclose(file);
	return value;
}

void qemu_wait_errors(struct qemu *qemu, const char *text, int count)
{
	wait_lines(qemu->errors, text, count);
}

/* The lines that the guest's shell printed after @from of the console. */
static int take_output(struct qemu *qemu, long from, char *text, size_t room)
{
	FILE *file = fopen(qemu->console, "r");
	char line[1100];
	size_t used = 0;
	int status = -1;

	expect_true(file && !fseek(file, from, SEEK_SET));
	text[0] = '\0';
	while (status < 0 && fgets(line, sizeof(line), file) &&
	       strchr(line, '\n')) {
		line[strcspn(line, "\r\n")] = '\0';
		if (!strncmp(line, "run: ", 5))
			used += snprintf(text + used, room - used, "%s\n",
					 line + 5);
		else
			sscanf(line, "chores: exit %d", &status);
		expect_true(used < room);
	}
	fclose(file);
	return status;
}

const char *qemu_run(struct qemu *qemu, int status, const char *command)
{
	uint64_t end = now_ms() + BOOT_MS;
	static char text[131072];
	char line[1024];
	struct stat st;
	int got, size;

	expect_true(!stat(qemu->console, &st));
	size = snprintf(line, sizeof(line), "run %s\n", command);
	expect_true(size < (int)sizeof(line));
	expect(size, must(write(qemu->keys, line, size)));
	while ((got = take_output(qemu, st.st_size, text, sizeof(text))) < 0) {
		if (now_ms() > end)
			fail("the guest has not ended: %s", command);
		sleep_ms(20);
	}
	if (status >= 0)
		expect(status, got);
	return text;
}

unsigned long qemu_symbol(struct qemu *qemu, const char *name)
{
	char command[160];
	unsigned long value;

	snprintf(command, sizeof(command),
		 "grep -m 1 -E ' %s$' /proc/kallsyms", name);
	value = strtoul(qemu_run(qemu, 0, command), NULL, 16);
	expect_true(value);
	return value;
}

void qemu_expect_alive(struct qemu *qemu)
{
	int before = file_count(qemu->console, "beacon: ");

	qemu_wait_console(qemu, "beacon: ", before + 2);
}
