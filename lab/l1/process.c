// SPDX-License-Identifier: GPL-2.0-only
/*
 * The processes a test leaves. The runner is the reaper of all its
 * descendants, so whoever outlives a test becomes the runner's child.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runner.h"

/* Reap the dead; returns how many children are alive. */
int process_children(void)
{
	int alive = 0;
	FILE *f;
	int pid;

	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	f = fopen("/proc/thread-self/children", "r");
	if (!f)
		return waitpid(-1, NULL, WNOHANG) == 0;
	while (fscanf(f, "%d", &pid) == 1)
		alive++;
	fclose(f);
	return alive;
}

static void for_each_child(void (*act)(int pid, void *arg), void *arg)
{
	FILE *f = fopen("/proc/thread-self/children", "r");
	int pid;

	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		act(pid, arg);
	fclose(f);
}

static size_t read_file(const char *path, char *buffer, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		return 0;
	n = fread(buffer, 1, size, f);
	fclose(f);
	return n;
}

static void list_one(int pid, void *arg)
{
	char path[64], line[256];
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	n = read_file(path, line, sizeof(line));
	for (size_t i = 0; i < n; i++)
		if (!line[i])
			line[i] = ' ';
	report("%s process %d left: %.*s", (const char *)arg, pid, (int)n, line);
}

void process_list_children(const char *tag)
{
	for_each_child(list_one, (void *)tag);
}

static bool is_runner_or_below(int pid)
{
	char path[64], stat[512], *at;
	int self = getpid();
	size_t n;

	while (pid > 1) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		n = read_file(path, stat, sizeof(stat) - 1);
		stat[n] = '\0';
		at = strrchr(stat, ')');
		if (!at || sscanf(at, ") %*c %d", &pid) != 1)
			return false;
		if (pid == self)
			return true;
	}
	return false;
}

static void show_task(const char *pid, const char *task)
{
	char path[600], stack[4096], name[64];
	char *line, *rest = stack;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%s/task/%s/comm", pid, task);
	n = read_file(path, name, sizeof(name) - 1);
	name[n ? n - 1 : 0] = '\0';
	report("out stack of %s/%s %s", pid, task, name);
	snprintf(path, sizeof(path), "/proc/%s/task/%s/stack", pid, task);
	n = read_file(path, stack, sizeof(stack) - 1);
	stack[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (*line)
			report("out     %s", line);
}

/* Where in the kernel every thread below the runner stands. */
void process_show_stacks(void)
{
	DIR *proc = opendir("/proc"), *tasks;
	struct dirent *p, *t;
	char path[300];

	while (proc && (p = readdir(proc))) {
		if (!isdigit(p->d_name[0]) || !is_runner_or_below(atoi(p->d_name)))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task", p->d_name);
		tasks = opendir(path);
		while (tasks && (t = readdir(tasks)))
			if (isdigit(t->d_name[0]))
				show_task(p->d_name, t->d_name);
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
}

static void kill_one(int pid, void *arg)
{
	(void)arg;
	kill(pid, SIGKILL);
}

/* Children of the killed become ours, so it takes rounds. False: some stay. */
bool process_kill_all(int milliseconds)
{
	long end = now() + milliseconds;

	while (process_children()) {
		if (now() > end)
			return false;
		for_each_child(kill_one, NULL);
		usleep(10000);
	}
	return true;
}
