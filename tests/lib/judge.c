// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be so after a step.
 */
#include <stdio.h>

#include "step.h"
#include "test.h"

/* How many events it is when it may happen: one for each locked page, or part. */
static unsigned int parts(const struct step *step)
{
	const struct pages *pages = &step->lock->pages;
	uint64_t first = step_gpa(step, 0);
	uint64_t last = step_gpa(step, step->kind->size - 1);

	if (first / PAGE_SIZE == last / PAGE_SIZE)
		return step->kind->parts;
	return pages_have(pages, first) + pages_have(pages, last);
}

/*
 * Bytes in front of the page. An emulator may have written them before it comes
 * to those that are locked.
 */
static unsigned int unlocked(const struct step *step)
{
	return step_begin(step) < 0 ? -step_begin(step) : 0;
}

/* What the guest sees is what is in its memory. */
static void check_bytes(const struct step *step, const struct store_reply *reply)
{
	uint8_t now[STORE_BYTES];
	unsigned int i;

	expect(step->kind->size, reply->size);
	expect_bytes(step->before, reply->before, reply->size);
	step_read(step, now);
	expect_bytes(now, reply->after, reply->size);
	if (step->pass != LOCK_DENY) {
		step->kind->landed(reply->before, reply->after,
				   step->request.value);
		expect(step->kind->pushed, reply->rsp);
	} else {
		i = unlocked(step);
		expect_bytes(reply->before + i, reply->after + i,
			     reply->size - i);
		expect(0, reply->rsp);
	}
}

static unsigned int attempts(const struct step *step)
{
	switch (step->pass) {
	case LOCK_DENY:
		return 1;
	case LOCK_CONTINUE:
		return parts(step);
	case LOCK_REPEAT:
		return LOCK_REPEATS;
	default:
		return 0;
	}
}

/*
 * The kernel works with its text, GDT and TSS, the handler with its stack. Where
 * nobody else runs there is but the processor, which tells of its walks when it
 * does by itself what the emulator does not know.
 */
static bool writes_itself(const struct step *step)
{
	if (step->lock->flags & STORE_QUIET)
		return !step->kind->emulated;
	return step->request.target == STORE_TEXT ||
	       step->request.target == STORE_GDT ||
	       step->request.target == STORE_TSS ||
	       step->request.kind == STORE_TRAP;
}

static void check_counts(const struct step *step, const struct store_reply *reply)
{
	const struct lock *lock = step->lock;
	uint64_t beside;

	expect(0, kvmi_vm_read_physical(lock->vm, step_beside(step), &beside,
					sizeof(beside)));
	expect(reply->others, beside);
	expect_true(reply->others > 0);
	expect(attempts(step), lock->told);
	if (step->pass == LOCK_REPEAT)
		expect_true(lock->beside <= reply->others);
	else
		expect(step->pass == LOCK_OPEN ? 0 : reply->others,
		       lock->beside);
	if (step->pass == LOCK_OPEN || !writes_itself(step))
		expect(0, lock->strange);
}

/* The guest's console says so, too. */
static void check_console(const struct step *step)
{
	char line[128];

	if (step->lock->flags & STORE_QUIET)
		return;
	snprintf(line, sizeof(line), "store: %u: %s to %s on vCPU %u: %s",
		 step->lock->turn, step->kind->name,
		 targets[step->request.target], step->request.cpu,
		 step->pass == LOCK_DENY ? "as it was" : "changed");
	qemu_wait_console(&step->lock->qemu, line, 1);
}

void step_judge(const struct step *step)
{
	struct store_reply reply;

	lock_read(step->lock, reply, &reply);
	check_bytes(step, &reply);
	check_counts(step, &reply);
	check_console(step);
}
