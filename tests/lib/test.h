/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every live test uses: verdicts, assertions, cells and deadlines.
 *
 * A test exits 0 (passed), 1 (failed) or 77 (skipped), and says why on stderr.
 * Verbs of the harness assert success; the same verb with __ in front returns
 * 0 or a negative errno, so that a failure can be asserted.
 */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * No wait of a test is longer than this, in ms: 15 s, for emulators are slow,
 * and more on a kernel with KASAN and the like.
 */
#define DEADLINE_MS	test_deadline_ms()
/* For what must happen at once. */
#define PROMPT_MS	(DEADLINE_MS / 2)

enum {
	TEST_PASSED = 0,
	TEST_FAILED = 1,
	TEST_SKIPPED = 77,
};

/* Fails unless the integers are equal; shows errno texts of negative ones. */
#define expect(want, got) \
	test_expect(__FILE__, __LINE__, #got, (long long)(want), \
		    (long long)(got))

#define expect_true(what) \
	do { \
		if (!(what)) \
			test_fail(__FILE__, __LINE__, "not so: %s", #what); \
	} while (0)

#define expect_bytes(want, got, size) \
	test_expect_bytes(__FILE__, __LINE__, #got, want, got, size)

#define fail(...)	test_fail(__FILE__, __LINE__, __VA_ARGS__)

/* Fails with errno unless the system call returned 0 or more; returns it. */
#define must(call)	test_must(__FILE__, __LINE__, #call, (long long)(call))

void test_expect(const char *file, int line, const char *what, long long want,
		 long long got);
void test_expect_bytes(const char *file, int line, const char *what,
		       const void *want, const void *got, size_t size);
long long test_must(const char *file, int line, const char *what, long long r);
void __attribute__((noreturn, format(printf, 3, 4)))
test_fail(const char *file, int line, const char *format, ...);
void __attribute__((noreturn, format(printf, 1, 2)))
skip(const char *format, ...);

/*
 * Reports a proven cell of the test matrix, e.g. "message:GET_VERSION:ok".
 * Called right after the assertion that proves it. What a cell says of a vCPU
 * it says for a VM with one or with more.
 */
void __attribute__((format(printf, 1, 2))) cell(const char *format, ...);

/* One line of story on stderr, with the time since the start. */
void __attribute__((format(printf, 1, 2))) note(const char *format, ...);

/*
 * At the head of a test of one vCPU: it runs twice, first in a VM that has a
 * busy second one.
 */
#define ALSO_WITH_SPARE_VCPU \
	static void __attribute__((constructor(200))) also_with_spare(void) \
	{ \
		test_run_with_spare(); \
	} \
	struct test_needs_semicolon

void test_run_with_spare(void);
/* In the first of these runs. */
extern bool test_spare_vcpu;
/* How many vCPUs the newest VM has; kept by whoever makes them. */
extern int test_vcpus;

unsigned int test_deadline_ms(void);
/* How long a test under load goes on: usually this, or STRESS seconds. */
unsigned int test_stress_ms(unsigned int usual);
uint64_t now_ms(void);
void sleep_ms(unsigned int ms);

/* Polls until the condition holds; fails after the deadline. */
#define wait_for(what) \
	do { \
		uint64_t end__ = now_ms() + DEADLINE_MS; \
		while (!(what)) { \
			if (now_ms() > end__) \
				test_fail(__FILE__, __LINE__, \
					  "waited in vain for: %s", #what); \
			sleep_ms(1); \
		} \
	} while (0)

/* Waits for a child; its exit status, or 128 + the signal that ended it. */
int wait_child(int pid);

#endif /* TESTS_LIB_TEST_H */
