// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does in the guest what is typed at its console, a word a line, and tells
 * what it did, for whoever counts the same from outside:
 *
 *	play	two processes on vCPU 0 play ping-pong over pipes for a second
 *	call	a process of its own calls getppid() CALLS times and exits
 *	entry	where the kernel's system-call entry lies, by its own word
 *	kernel	where its text and its table of system calls lie
 *	patch	has a module patch getppid(), and calls it
 *	mend	takes the module out, and calls it
 *	segments	a process with segments of its own, in the GDT and in an LDT,
 *		looks after each of SLEEPS sleeps whether they are there
 *	other	another user's process with two threads, which sleeps for ever
 *	run ...	what a shell makes of the rest: its output in lines that begin with
 *		"run: ", then its exit status
 */
#include <asm/ldt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#define CALLS 200
#define SLEEPS 20
#define LIMIT 0x4711	/* of the segments */
#define OTHER 4711	/* a user */
#define RUN "run "
#define MODULE "/lib/modules/patch.ko"

static volatile long *count;	/* shared with the processes below */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* On one vCPU no ball can come back without two switches. */
static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("chores: sched_setaffinity");
}

static _Noreturn void serve(int to, int from)
{
	double end = now() + 1;
	char ball = 0;

	while (now() < end) {
		if (write(to, &ball, 1) != 1 || read(from, &ball, 1) != 1)
			_exit(1);
		++*count;
	}
	_exit(0);
}

static _Noreturn void reply(int to, int from)
{
	char ball;

	while (read(from, &ball, 1) == 1)
		if (write(to, &ball, 1) != 1)
			_exit(1);
	_exit(0);
}

/* How often the kernel took a child that ended well off its vCPU; -1. */
static long switches(pid_t pid)
{
	struct rusage usage;
	int status;

	if (wait4(pid, &status, 0, &usage) != pid || status)
		return -1;
	return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void play(void)
{
	int there[2], back[2];
	pid_t pids[2];
	long a, b;

	if (pipe(there) || pipe(back)) {
		perror("chores: pipe");
		return;
	}
	*count = 0;
	pids[0] = fork();
	if (!pids[0]) {
		pin();
		serve(there[1], back[0]);
	}
	close(there[1]);
	pids[1] = fork();
	if (!pids[1]) {
		pin();
		reply(back[1], there[0]);
	}
	close(there[0]);
	close(back[0]);
	close(back[1]);
	a = switches(pids[0]);
	b = switches(pids[1]);
	if (a < 0 || b < 0)
		printf("chores: the game went wrong\n");
	else
		printf("chores: %ld rounds in a second, %ld switches off two processes\n",
		       *count, a + b);
}

/* Not by fork(): the C library would add system calls of its own. */
static void call(void)
{
	int status = -1;
	pid_t pid;

	*count = 0;
	pid = (pid_t)syscall(SYS_fork);
	if (!pid) {
		for (int i = 0; i < CALLS; i++) {
			syscall(SYS_getppid);
			++*count;
		}
		syscall(SYS_exit_group, 0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		printf("chores: the caller went wrong\n");
	else
		printf("chores: %ld calls of getppid, then an exit\n", *count);
}

/* Where these are, by the kernel's own word; 0 without. */
static struct {
	const char *name;
	unsigned long address;
} symbols[] = {
	{ "_stext", 0 }, { "_etext", 0 }, { "entry_SYSCALL_64", 0 },
	{ "sys_call_table", 0 }, { "__x64_sys_getppid", 0 },
};

#define SYMBOLS (sizeof(symbols) / sizeof(symbols[0]))

/* ADDRESS TYPE NAME */
static bool take_symbol(const char *line)
{
	const char *end = strchr(line, ' ');

	for (size_t i = 0; end && i < SYMBOLS; i++)
		if (!symbols[i].address && !strcmp(end + 3, symbols[i].name)) {
			symbols[i].address = strtoul(line, NULL, 16);
			return true;
		}
	return false;
}

/* In one pass: an emulated kernel takes seconds to tell all its names. */
static void read_symbols(void)
{
	FILE *f = fopen("/proc/kallsyms", "r");
	size_t found = 0;
	char line[256];

	while (f && found < SYMBOLS && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		found += take_symbol(line);
	}
	if (f)
		fclose(f);
}

static unsigned long symbol(const char *name)
{
	static bool read;

	if (!read)
		read_symbols();
	read = true;
	for (size_t i = 0; i < SYMBOLS; i++)
		if (!strcmp(symbols[i].name, name))
			return symbols[i].address;
	return 0;
}

static void entry(void)
{
	printf("chores: the system-call entry is at 0x%016lx\n",
	       symbol("entry_SYSCALL_64"));
}

static void kernel(void)
{
	unsigned long table = symbol("sys_call_table");

	printf("chores: text 0x%lx-0x%lx table 0x%lx-0x%lx\n",
	       symbol("_stext"), symbol("_etext"), table,
	       table + (SYS_getppid + 1) * sizeof(table));
}

static void tell_parent(const char *what)
{
	printf("chores: %s; getppid() says %ld\n", what, syscall(SYS_getppid));
}

static void patch(void)
{
	char command[160], changed[16] = "";
	FILE *f;

	snprintf(command, sizeof(command),
		 "insmod " MODULE " function=0x%lx entry=0x%lx",
		 symbol("__x64_sys_getppid"), symbol("sys_call_table") +
		 SYS_getppid * sizeof(unsigned long));
	if (system(command))
		printf("chores: the module was not loaded\n");
	f = fopen("/sys/module/patch/parameters/changed", "r");
	if (f && fscanf(f, "%15s", changed) != 1)
		changed[0] = '\0';
	if (f)
		fclose(f);
	snprintf(command, sizeof(command),
		 "its module has changed %s of 2 places", changed);
	tell_parent(command);
}

static void mend(void)
{
	tell_parent(system("rmmod patch") ? "the module stays" :
					    "the module is gone");
}

static int sleep_on(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return 0;
}

static void other(void)
{
	thrd_t thread;
	pid_t pid = fork();

	if (pid)
		return;
	prctl(PR_SET_NAME, "another");
	if (setresuid(OTHER, OTHER, OTHER) ||
	    thrd_create(&thread, sleep_on, NULL) != thrd_success) {
		perror("chores: other");
		_exit(1);
	}
	printf("chores: process %d of user %d\n", getpid(), OTHER);
	sleep_on(NULL);
}

/* By the processor's own word, in the table that it has now; -1: not there. */
static long limit_of(unsigned int selector)
{
	unsigned long limit;
	bool is_there;

	__asm__ ("lsl %2, %0" : "=r" (limit), "=@ccz" (is_there)
		 : "r" ((unsigned long)selector) : "memory");
	return is_there ? (long)limit : -1;
}

/* 64-bit code can ask for a segment in the GDT by the call of 32-bit code only. */
static int set_thread_area(struct user_desc *desc)
{
	int result = 243;

	__asm__ volatile ("int $0x80" : "+a" (result)
			  : "b" ((unsigned long)desc)
			  : "memory", "cc", "r8", "r9", "r10", "r11");
	return result;
}

static void watch_segments(struct user_desc *desc)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	unsigned int in_gdt, in_ldt = 7;
	int i, there = 0;

	*desc = (struct user_desc){
		.entry_number = 0, .base_addr = 0x1000, .limit = LIMIT,
		.seg_32bit = 1,
	};
	if (syscall(SYS_modify_ldt, 1, desc, sizeof(*desc)))
		perror("chores: modify_ldt");
	desc->entry_number = -1u;
	if (set_thread_area(desc))
		printf("chores: no segment in the GDT\n");
	in_gdt = desc->entry_number << 3 | 3;
	for (i = 0; i < SLEEPS; i++) {
		nanosleep(&nap, NULL);
		there += limit_of(in_gdt) == LIMIT && limit_of(in_ldt) == LIMIT;
	}
	printf("chores: segments were there after %d sleeps of %d, entry %u\n",
	       there, SLEEPS, in_gdt >> 3);
}

static void segments(void)
{
	struct user_desc *desc = mmap(NULL, sizeof(*desc),
				      PROT_READ | PROT_WRITE, MAP_PRIVATE |
				      MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	pid_t pid = desc == MAP_FAILED ? -1 : fork();

	if (!pid) {
		watch_segments(desc);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		perror("chores: segments");
	if (desc != MAP_FAILED)
		munmap(desc, sizeof(*desc));
}

/* Each line in one piece: others print on this console, too. */
static void run(const char *command)
{
	FILE *output = popen(command, "r");
	char line[1024];

	while (output && fgets(line, sizeof(line), output))
		printf("run: %.*s\n", (int)strcspn(line, "\n"), line);
	printf("chores: exit %d\n", output ? WEXITSTATUS(pclose(output)) : -1);
}

int main(void)
{
	static const struct {
		const char *word;
		void (*work)(void);
	} chores[] = {
		{ "play\n", play }, { "call\n", call }, { "entry\n", entry },
		{ "kernel\n", kernel }, { "patch\n", patch },
		{ "mend\n", mend }, { "other\n", other },
		{ "segments\n", segments },
	};
	struct termios tty;
	char line[1024];

	setvbuf(stdout, NULL, _IOLBF, 0);
	count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (count == MAP_FAILED)
		return 1;
	/* An echo would get into the lines of others. */
	if (!tcgetattr(0, &tty)) {
		tty.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(0, TCSANOW, &tty);
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, RUN, strlen(RUN)))
			run(line + strlen(RUN));
		for (size_t i = 0; i < sizeof(chores) / sizeof(*chores); i++)
			if (!strcmp(line, chores[i].word))
				chores[i].work();
	}
	return 0;
}
