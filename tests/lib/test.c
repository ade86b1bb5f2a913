// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verdicts, assertions, cells and deadlines.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

bool test_spare_vcpu;
int test_vcpus;

static uint64_t started;

static void __attribute__((constructor(101))) test_start(void)
{
	started = now_ms();
	/* The log must tell where a test hung, so no line may wait. */
	setvbuf(stdout, NULL, _IOLBF, 0);
}

unsigned int test_deadline_ms(void)
{
	static unsigned int ms;

	/* Who has the leak detector has the slow checkers, too. */
	if (!ms)
		ms = access("/sys/kernel/debug/kmemleak", F_OK) ? 15000 : 90000;
	return ms;
}

unsigned int test_stress_ms(unsigned int usual)
{
	const char *seconds = getenv("STRESS");

	return seconds && atoi(seconds) > 0 ? 1000u * atoi(seconds) : usual;
}

uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

void sleep_ms(unsigned int ms)
{
	struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000l,
	};

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(TEST_FAILED);
}

static const char *number_text(long long n, char text[64])
{
	if (n < 0 && n > -1000)
		snprintf(text, 64, "%lld (%s)", n, strerror(-n));
	else
		snprintf(text, 64, "%lld (0x%llx)", n, n);
	return text;
}

void test_expect(const char *file, int line, const char *what, long long want,
		 long long got)
{
	char want_text[64], got_text[64];

	if (want != got)
		test_fail(file, line, "%s: expected %s, got %s", what,
			  number_text(want, want_text),
			  number_text(got, got_text));
}

void test_expect_bytes(const char *file, int line, const char *what,
		       const void *want, const void *got, size_t size)
{
	const uint8_t *w = want, *g = got;
	size_t i;

	for (i = 0; i < size; i++)
		if (w[i] != g[i])
			test_fail(file, line,
				  "%s: byte %zu of %zu: expected %02x, got %02x",
				  what, i, size, w[i], g[i]);
}

long long test_must(const char *file, int line, const char *what, long long r)
{
	if (r < 0)
		test_fail(file, line, "%s: %s", what, strerror(errno));
	return r;
}

void skip(const char *format, ...)
{
	va_list args;

	fputs("skipped: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(TEST_SKIPPED);
}

/* Before main(): a child does the run with the spare vCPU. */
void test_run_with_spare(void)
{
	int pid = must(fork()), status;

	if (!pid) {
		test_spare_vcpu = true;
		return;
	}
	must(waitpid(pid, &status, 0));
	if (!WIFEXITED(status))
		fail("with a spare vCPU: ended by signal %d",
		     WTERMSIG(status));
	if (WEXITSTATUS(status))
		exit(WEXITSTATUS(status));
	note("passed with a spare vCPU");
}

void cell(const char *format, ...)
{
	char line[128] = "cell ";
	va_list args;

	va_start(args, format);
	vsnprintf(line + 5, sizeof(line) - 8, format, args);
	va_end(args);
	if (strstr(line, ":VCPU_"))
		strcat(line, test_vcpus > 1 ? ":2" : ":1");
	puts(line);
}

void note(const char *format, ...)
{
	uint64_t t = now_ms() - started;
	char line[512];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "[%3u.%03u] %s\n", (unsigned int)(t / 1000),
		(unsigned int)(t % 1000), line);
}

int wait_child(int pid)
{
	int status;

	wait_for(must(waitpid(pid, &status, WNOHANG)) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}
