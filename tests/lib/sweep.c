// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of store to every target by every vCPU.
 */
#include "lock.h"
#include "test.h"

static void each_kind(struct lock *lock, enum lock_pass pass, int cpu,
		      int target, bool emulated)
{
	int kind;

	for (kind = 0; kind < STORE_TRAP; kind++)
		if (kinds[kind].emulated == emulated)
			lock_step(lock, pass, cpu, target, kind);
}

void lock_deny_all(struct lock *lock)
{
	int cpu, target;

	for (cpu = 0; cpu < STORE_CPUS; cpu++)
		for (target = 0; target < STORE_TARGETS; target++) {
			note("vCPU %d, %s", cpu, targets[target]);
			lock_only(lock, cpu, target);
			each_kind(lock, LOCK_DENY, cpu, target, true);
			each_kind(lock, LOCK_DENY, cpu, target, false);
		}
	lock_none(lock);
}

void lock_continue_all(struct lock *lock, bool emulated)
{
	int cpu, target;

	for (cpu = 0; cpu < STORE_CPUS; cpu++)
		for (target = 0; target < STORE_TARGETS; target++) {
			note("vCPU %d, %s", cpu, targets[target]);
			lock_only(lock, cpu, target);
			each_kind(lock, LOCK_CONTINUE, cpu, target, emulated);
			lock_none(lock);
			each_kind(lock, LOCK_OPEN, cpu, target, emulated);
		}
}

/*
 * Nobody else runs. But of what the processor is to do by itself it tells each
 * walk of a locked table, as a write to that.
 */
static void to_tables(struct lock *lock, enum lock_pass pass, bool emulated)
{
	static const int both[] = { STORE_TEXT, STORE_TABLE };
	int cpu, i;

	for (cpu = 0; cpu < STORE_CPUS; cpu++)
		for (i = 0; i < 2; i++) {
			note("vCPU %d, %s", cpu, targets[both[i]]);
			each_kind(lock, pass, cpu, both[i], emulated);
		}
}

void lock_tables_all(struct lock *lock, bool emulated)
{
	lock_quiet(lock, true);
	lock_tables(lock);
	to_tables(lock, LOCK_DENY, emulated);
	to_tables(lock, LOCK_CONTINUE, emulated);
	lock_none(lock);
	to_tables(lock, LOCK_OPEN, emulated);
	lock_quiet(lock, false);
}

void lock_trap_all(struct lock *lock, enum lock_pass pass)
{
	static const int stacks[] = { STORE_STACK, STORE_DATA };
	int cpu, i;

	for (cpu = 0; cpu < STORE_CPUS; cpu++)
		for (i = 0; i < 2; i++) {
			note("vCPU %d, %s", cpu, targets[stacks[i]]);
			lock_only(lock, cpu, stacks[i]);
			lock_step(lock, pass, cpu, stacks[i], STORE_TRAP);
			lock_none(lock);
			lock_step(lock, LOCK_OPEN, cpu, stacks[i], STORE_TRAP);
		}
}
