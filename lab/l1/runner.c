// SPDX-License-Identifier: GPL-2.0-only
/*
 * The runner of level 1: runs the tests of a list one after the other, each
 * with its time limit, and judges them by exit code, kernel log and
 * processes left behind.
 *
 *	runner PORT LIST FACTS
 *
 * A line of LIST is "NAME LIMIT": /tests/NAME, seconds. FACTS may be missing.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runner.h"

enum {
	GRACE_MS = 3000,	/* for what a test left to go by itself */
	KILL_MS = 10000,	/* for the killed to be gone */
	EXIT_SKIP = 77,
};

/* What a test prints, cut into lines. */
struct output {
	int fd;
	size_t used;
	char line[1024];
	char last[1024];
};

long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void flush_line(struct output *o)
{
	report_text("out", o->line, o->used);
	if (o->used) {
		memcpy(o->last, o->line, o->used);
		o->last[o->used] = '\0';
	}
	o->used = 0;
}

/* Take what is there; false when all writers are gone. */
static bool take_output(struct output *o)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(o->fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buffer[i] == '\n') {
				flush_line(o);
				continue;
			}
			o->line[o->used++] = buffer[i];
			if (o->used == sizeof(o->line) - 1)
				flush_line(o);
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Start /tests/@name in a session of its own, its output into @o. */
static pid_t start(const char *name, struct output *o)
{
	char path[256];
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	snprintf(path, sizeof(path), "/tests/%s", name);
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);

		setsid();
		dup2(null, 0);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		if (chdir("/tests"))
			_exit(126);
		execl(path, name, (char *)NULL);
		dprintf(2, "%s: %s\n", path, strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	o->fd = fds[0];
	return pid;
}

/* Relay output until @pid ends; false when its time is over. */
static bool wait_for(pid_t pid, long end, struct output *o)
{
	struct pollfd fds[2] = {
		{ .fd = syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
		{ .fd = o->fd, .events = POLLIN },
	};
	bool ended = false;

	while (!ended && now() < end) {
		if (poll(fds, 2, end - now()) < 0 && errno != EINTR)
			break;
		if (fds[1].revents && !take_output(o))
			fds[1].fd = -1;
		ended = fds[0].revents;
	}
	close(fds[0].fd);
	return ended;
}

/* What the exit code says; NULL: passed. */
static const char *judge_status(int status, char *reason, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(reason, size, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(reason, size, "exit code %d", WEXITSTATUS(status));
	else
		return NULL;
	return reason;
}

/* Wait a moment for what a test left; list and kill what stays. */
static const char *judge_processes(void)
{
	long end = now() + GRACE_MS;

	while (process_children()) {
		if (now() > end) {
			process_list_children("out");
			if (process_kill_all(KILL_MS))
				return "left a process";
			process_show_stacks();
			return "left a process that cannot be killed";
		}
		usleep(20000);
	}
	return NULL;
}

/* False: level 1 is no longer fit for another test. */
static bool run(const char *name, long limit)
{
	struct output o = { .fd = -1 };
	const char *verdict, *processes, *log = NULL;
	char reason[128];
	long begin = now();
	bool fit = true;
	int status = 0;
	pid_t pid;

	report("start %s %ld", name, limit);
	klog_mark("begin", name);
	pid = start(name, &o);
	if (pid < 0) {
		report("notok %s 0 cannot start: %s", name, strerror(-pid));
		return false;
	}
	if (wait_for(pid, begin + limit * 1000, &o)) {
		waitpid(pid, &status, 0);
		verdict = judge_status(status, reason, sizeof(reason));
		processes = judge_processes();
	} else {
		process_show_stacks();
		snprintf(reason, sizeof(reason), "time limit of %ld s", limit);
		verdict = reason;
		processes = process_kill_all(KILL_MS) ? NULL :
			    "cannot be killed";
		if (processes)
			process_show_stacks();
	}
	fit = process_children() == 0;
	take_output(&o);
	if (o.used)
		flush_line(&o);
	close(o.fd);
	klog_mark("end", name);
	if (klog_drain())
		log = "kernel log";

	begin = now() - begin;
	if (!processes && !log && verdict && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_SKIP)
		report("skip %s %ld.%ld %s", name, begin / 1000,
		       begin / 100 % 10, o.last);
	else if (verdict || processes || log)
		report("notok %s %ld.%ld %s%s%s%s%s", name, begin / 1000,
		       begin / 100 % 10, verdict ?: "",
		       verdict && (processes || log) ? ", " : "",
		       processes ?: "", processes && log ? ", " : "", log ?: "");
	else
		report("ok %s %ld.%ld", name, begin / 1000, begin / 100 % 10);
	return fit;
}

/* Boot, and what comes after the last test, count as tests of the log. */
static void judge_log(const char *name)
{
	report("start %s 60", name);
	report(klog_drain() ? "notok %s 0 kernel log" : "ok %s 0", name);
}

static void scan_for_leaks(void)
{
	int fd = open("/sys/kernel/debug/kmemleak", O_RDWR);
	char buffer[4096];
	ssize_t n;

	if (fd < 0)
		return;
	/* An object counts after it was found lost twice, seconds apart. */
	for (int i = 0; i < 2; i++) {
		if (write(fd, "scan", 4) != 4)
			break;
		sleep(6);
	}
	while ((n = read(fd, buffer, sizeof(buffer) - 1)) > 0) {
		char *line, *rest = buffer;

		buffer[n] = '\0';
		while ((line = strsep(&rest, "\n")))
			report_text("klog", line, strlen(line));
	}
	close(fd);
}

int main(int argc, char **argv)
{
	struct utsname uts;
	char name[128];
	int count = 0;
	long limit;
	FILE *list;

	if (argc != 4 || report_open(argv[1]) || klog_open())
		return 1;
	list = fopen(argv[2], "re");
	if (!list)
		return 1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	uname(&uts);
	report("hello %s", uts.release);
	judge_log("boot");
	if (!facts_hold(argv[3])) {
		report("broken");
		return 0;
	}
	if (!access(argv[3], F_OK))
		exits_count();
	while (fscanf(list, "%127s %ld", name, &limit) == 2) {
		count++;
		if (!run(name, limit)) {
			report("broken");
			return 0;
		}
	}
	exits_report();
	scan_for_leaks();
	judge_log("end");
	report("done %d", count);
	return 0;
}
