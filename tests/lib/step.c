// SPDX-License-Identifier: GPL-2.0-only
/*
 * One store by one vCPU, while the other one stores to the same page.
 */
#include "step.h"
#include "test.h"

int64_t step_begin(const struct step *step)
{
	return store_begin(step->target, step->request.kind);
}

uint64_t step_beside(const struct step *step)
{
	return step->target->gpa +
	       store_beside_at(step->target, step->request.kind);
}

/* Where byte i of the store lies. */
uint64_t step_gpa(const struct step *step, unsigned int i)
{
	int64_t at = step_begin(step) + i;

	if (at < 0)
		return step->target->front + PAGE_SIZE + at;
	if (at >= (int64_t)PAGE_SIZE)
		return step->target->behind + at - PAGE_SIZE;
	return step->target->gpa + at;
}

void step_read(const struct step *step, uint8_t *bytes)
{
	unsigned int i, n;

	for (i = 0; i < step->kind->size; i += n) {
		n = PAGE_SIZE - step_gpa(step, i) % PAGE_SIZE;
		if (n > step->kind->size - i)
			n = step->kind->size - i;
		expect(0, kvmi_vm_read_physical(step->lock->vm,
						step_gpa(step, i), bytes + i, n));
	}
}

/* Which byte of the store this is, -1: none. */
int step_byte(const struct step *step, uint64_t gpa)
{
	unsigned int i;

	for (i = 0; i < step->kind->size; i++)
		if (step_gpa(step, i) == gpa)
			return i;
	return -1;
}

static void check_store(struct step *step, struct kvmi_event *event,
			const struct kvmi_vcpu_event_pf *pf)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	int i = step_byte(step, pf->gpa);
	struct store_insn insn;
	uint8_t now[STORE_BYTES];
	uint64_t gva;

	lock_read(step->lock, reply.insn, &insn);
	lock_read(step->lock, reply.gva, &gva);
	expect(insn.begin, state->arch.regs.rip);
	expect_true(pages_have(&step->lock->pages, pf->gpa));
	if (step->kind->emulated) {
		expect(gva + i, pf->gva);
		expect(step->lock->told * step->kind->size / step->kind->parts,
		       i);
	} else {
		expect_true(pf->gva == ~0ull || pf->gva == gva + i);
	}
	if (step->lock->told++)
		return;
	step_read(step, now);
	if (step->kind->emulated)
		expect_bytes(step->before, now, step->kind->size);
}

static void check_beside(struct step *step, struct kvmi_event *event,
			 const struct kvmi_vcpu_event_pf *pf)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct store_insn insn;

	lock_read(step->lock, reply.other, &insn);
	expect(insn.begin, state->arch.regs.rip);
	expect(step->target->gva + step_beside(step) % PAGE_SIZE, pf->gva);
	step->lock->beside++;
}

static void let(struct step *step, struct kvmi_event *event)
{
	expect(0, kvmi_event_reply(step->lock->vm, event,
				   KVMI_EVENT_ACTION_CONTINUE, NULL, 0));
	kvmi_event_free(event);
}

static void deny(struct step *step, struct kvmi_event *event)
{
	struct kvm_regs regs = kvmi_event_get_state(event)->arch.regs;
	struct store_insn insn;

	lock_read(step->lock, reply.insn, &insn);
	regs.rip = insn.end;
	expect(0, kvmi_vcpu_set_registers(step->lock->vm,
					  kvmi_event_get_vcpu(event), &regs));
	expect(0, kvmi_event_reply(step->lock->vm, event,
				   KVMI_EVENT_ACTION_RETRY, NULL, 0));
	kvmi_event_free(event);
}

static void repeat(struct step *step, struct kvmi_event *event)
{
	if (step->lock->told == LOCK_REPEATS)
		pages_set(&step->lock->pages, step->lock->vm, PAGE_ALL);
	expect(0, kvmi_event_reply(step->lock->vm, event,
				   KVMI_EVENT_ACTION_RETRY, NULL, 0));
	kvmi_event_free(event);
}

/* The other vCPU is let go first, so that it runs meanwhile. */
static void release(struct step *step)
{
	struct kvmi_event *event = step->held;

	if (!event || step->lock->beside == step->answered)
		return;
	step->held = NULL;
	step->answered = step->lock->beside;
	if (step->pass == LOCK_DENY)
		deny(step, event);
	else if (step->pass == LOCK_REPEAT)
		repeat(step, event);
	else
		let(step, event);
}

/* The handler of an exception writes to its frame, too. */
static bool is_store(struct step *step, struct kvmi_event *event,
		     const struct kvmi_vcpu_event_pf *pf)
{
	struct store_insn insn;

	if (kvmi_event_get_vcpu(event) != (int)step->request.cpu ||
	    step_byte(step, pf->gpa) < 0)
		return false;
	if (step->request.kind != STORE_TRAP)
		return true;
	lock_read(step->lock, reply.insn, &insn);
	return kvmi_event_get_state(event)->arch.regs.rip == insn.begin;
}

static void take(struct step *step, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_pf *pf;
	int vcpu = kvmi_event_get_vcpu(event);
	size_t size;

	expect(KVMI_VCPU_EVENT_PF, kvmi_event_get_id(event));
	pf = kvmi_event_get_data(event, &size);
	expect(KVMI_PAGE_ACCESS_W, pf->access);
	if (is_store(step, event, pf)) {
		check_store(step, event, pf);
		expect_true(!step->held);
		step->held = event;
	} else if (vcpu != (int)step->request.cpu &&
		   pf->gpa == step_beside(step)) {
		check_beside(step, event, pf);
		let(step, event);
	} else {
		expect_true(pages_have(&step->lock->pages, pf->gpa));
		step->lock->strange++;
		let(step, event);
	}
	release(step);
}

/* Does not wait for what will not come, as events are off the box. */
static void watch(struct step *step)
{
	uint64_t end = now_ms() + 4 * DEADLINE_MS;
	struct kvmi_event *event;

	while (!lock_is_over(step->lock)) {
		if (now_ms() > end)
			fail("the store of turn %u does not end",
			     step->lock->turn);
		if (!kvmi_vm_next_event(step->lock->vm, 5, &event))
			take(step, event);
	}
}

void lock_step(struct lock *lock, enum lock_pass pass, int cpu, int target,
	       int kind)
{
	struct step step = {
		.lock = lock,
		.pass = pass,
		.request = { .cpu = cpu, .kind = kind, .target = target },
		.kind = &kinds[kind],
		.target = &lock->targets[cpu][target],
	};
	uint8_t blank[STORE_FRAME] = { 0 };

	lock->told = 0;
	lock->beside = 0;
	lock->strange = 0;
	step.request.value = (lock->turn + 1) * 0x0001000100010001ull << 4;
	if (kind == STORE_TRAP)
		expect(0, kvmi_vm_write_physical(lock->vm, step_gpa(&step, 0),
						 blank, sizeof(blank)));
	step_read(&step, step.before);
	lock_request(lock, &step.request);
	watch(&step);
	step_judge(&step);
}
