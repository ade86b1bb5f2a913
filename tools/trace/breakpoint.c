// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A breakpoint is an INT3 in guest memory. Where the instruction below it is a
 * NOP or an ENDBR the tool steps over it by setting rip. Elsewhere the byte is
 * put back, the vCPU is sent to the instruction, and the INT3 returns when that
 * vCPU has reported that it is elsewhere: after one step, where the host can
 * single-step, else when it was paused. What passes meanwhile is not seen.
 * kvmi-trace(1) tells the limits.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "step.h"
#include "trace.h"

#define INT3		0xcc
#define CODE		16
#define PAGE		4096
#define MAP_TRIES	50
#define TRIES_MAX	20

/* Replaces one byte, but only if it is what is expected there. */
static int swap_byte(struct kvmi_vm *vm, uint64_t gpa, uint8_t from, uint8_t to)
{
	uint8_t byte;
	int err;

	err = kvmi_vm_read_physical(vm, gpa, &byte, 1);
	if (err)
		return err;
	if (byte != from)
		return -EBUSY;
	return kvmi_vm_write_physical(vm, gpa, &to, 1);
}

static int arm(struct trace *t, struct point *p)
{
	int err = swap_byte(t->vm, p->gpa, p->byte, INT3);

	if (err)
		complain(err, "no breakpoint at 0x%" PRIx64, p->gva);
	else
		p->is_armed = true;
	return err;
}

int point_disarm(struct trace *t, struct point *p)
{
	int err;

	if (!p->is_armed)
		return 0;
	err = swap_byte(t->vm, p->gpa, INT3, p->byte);
	if (err)
		complain(err, "the INT3 at 0x%" PRIx64 " was not taken back",
			 p->gva);
	if (!err || err == -EBUSY)
		p->is_armed = false;
	return err;
}

/* Any vCPU may have it mapped; one in user mode may not. */
static int translate(struct trace *t, uint64_t gva, uint64_t *gpa)
{
	struct timespec ms = { 0, 10000000 };
	unsigned int i;
	int err;

	for (i = 0; i < MAP_TRIES * t->vcpus && !is_stopped; i++) {
		err = kvmi_vcpu_translate_gva(t->vm, i % t->vcpus, gva, gpa);
		if (err == -EAGAIN)
			continue;
		if (err || *gpa != UINT64_MAX)
			return err;
		if (i % t->vcpus == t->vcpus - 1)
			nanosleep(&ms, NULL);
	}
	return -ENOENT;
}

/* The kernel's own tables have all of it, those of user mode only the entry. */
static int find(struct trace *t, uint64_t gva, uint64_t *gpa)
{
	if (t->guest && gva >> 63 && !linux_translate(t->guest, gva, gpa))
		return 0;
	return translate(t, gva, gpa);
}

int point_is_easy(struct trace *t, uint64_t gva)
{
	uint8_t code[CODE];
	size_t size = PAGE - gva % PAGE < CODE ? PAGE - gva % PAGE : CODE;
	uint64_t gpa;
	int err = find(t, gva, &gpa);

	if (!err)
		err = kvmi_vm_read_physical(t->vm, gpa, code, size);
	return err ? err : step_size(code, size) > 0;
}

int point_set(struct trace *t, struct point *p)
{
	uint8_t code[CODE];
	size_t size = CODE;
	int err;

	p->stepping = -1;
	err = find(t, p->gva, &p->gpa);
	if (!err && PAGE - p->gpa % PAGE < size)
		size = PAGE - p->gpa % PAGE;
	if (!err)
		err = kvmi_vm_read_physical(t->vm, p->gpa, code, size);
	if (err) {
		complain(err, "no breakpoint at 0x%" PRIx64, p->gva);
		return err;
	}
	if (code[0] == INT3) {
		complain(0, "there is an INT3 at 0x%" PRIx64 " already", p->gva);
		return -EBUSY;
	}
	p->byte = code[0];
	p->step = step_size(code, size);
	return arm(t, p);
}

struct point *point_find(struct trace *t, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < t->point_count; i++)
		if (t->points[i].gpa == gpa)
			return &t->points[i];
	return NULL;
}

/*
 * Puts the byte back, lets the vCPU go, and has it report from where it is
 * then. A vCPU that was paused before it may go would report from the same
 * place; one that cannot be stepped, as a debugger does that, is paused, too.
 */
static int run_in_place(struct trace *t, struct point *p,
			struct kvmi_event *event)
{
	unsigned int vcpu = kvmi_event_get_state(event)->vcpu;
	bool is_first = p->stepping < 0;
	int err = point_disarm(t, p);

	if (err && err != -EBUSY)
		return err;
	if (is_first) {
		p->stepping = (int)vcpu;
		p->tries = 0;
		p->is_stepped = t->can_step &&
			!kvmi_vcpu_control_singlestep(t->vm, vcpu, true);
	}
	err = kvmi_event_reply(t->vm, event, KVMI_EVENT_ACTION_RETRY, NULL, 0);
	if (err || !is_first || p->is_stepped)
		return err;
	return kvmi_vm_pause_vcpu(t->vm, vcpu, false);
}

/* It was asked too early. The host may have few CPUs: it gets more time. */
static int ask_again(struct trace *t, struct point *p, unsigned int vcpu)
{
	const struct timespec ts = { 0, p->tries * 100000L };

	if (p->tries < TRIES_MAX)
		p->tries++;
	nanosleep(&ts, NULL);
	return kvmi_vm_pause_vcpu(t->vm, vcpu, false);
}

static void print_hit(struct trace *t, const struct kvmi_vcpu_event *state,
		      const struct point *p)
{
	char symbol[SYMBOL];
	struct field fields[] = {
		FIELD_HEX("address", p->gva),
		FIELD_HEX("cr3", state->arch.sregs.cr3),
		FIELD_HEX("rax", state->arch.regs.rax),
		{ 0 }, { 0 },
	};

	if (!line_takes(t, state))
		return;
	/* A place can have several names: this is the one that was asked for. */
	if (p->symbol)
		fields[3] = (struct field)FIELD_TEXT("symbol", p->symbol);
	else if (t->guest)
		fields[3] = (struct field)FIELD_TEXT("symbol",
			linux_format_address(t->guest, p->gva, symbol,
					     sizeof(symbol)));
	line_print(t, BREAKPOINT, fields[3].text, state, fields);
}

int point_hit(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct kvmi_vcpu_event_breakpoint *bp;
	struct kvm_regs regs = state->arch.regs;
	struct point *p;
	size_t size;
	int err;

	bp = kvmi_event_get_data(event, &size);
	p = point_find(t, bp->gpa);
	if (!p)		/* the guest's own */
		return kvmi_event_reply(t->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);

	if (p->kind == POINT_PLAIN)
		print_hit(t, state, p);
	else
		syscall_print(t, p, state);
	if (!p->step || state->arch.mode != 8 || regs.rflags & 0x100)
		return run_in_place(t, p, event);
	regs.rip += p->step;
	regs.rflags &= ~0x10000ULL;	/* RF */
	err = kvmi_vcpu_set_registers(t->vm, state->vcpu, &regs);
	return err ? err : kvmi_event_reply(t->vm, event,
					    KVMI_EVENT_ACTION_RETRY, NULL, 0);
}

/* The vCPU that runs a byte in place: has it done so? */
int point_passed(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct point *p, *again = NULL;
	size_t i;
	int err = 0;

	for (i = 0; i < t->point_count && !err; i++) {
		p = &t->points[i];
		if (p->stepping != state->vcpu || p->is_stepped)
			continue;
		if (state->arch.regs.rip == p->gva) {
			again = p;
		} else {
			p->stepping = -1;
			err = arm(t, p);
		}
	}
	if (!err)
		err = kvmi_event_reply(t->vm, event, KVMI_EVENT_ACTION_CONTINUE,
				       NULL, 0);
	return err || !again ? err : ask_again(t, again, state->vcpu);
}

int point_leave(struct trace *t, struct point *p)
{
	if (!p->is_stepped)
		return 0;
	p->is_stepped = false;
	p->tries = 0;
	return kvmi_vcpu_control_singlestep(t->vm, (unsigned int)p->stepping,
					    false);
}

static int end_step(struct trace *t, struct point *p)
{
	int err = point_leave(t, p);

	p->stepping = -1;
	return err ? err : arm(t, p);
}

/*
 * The vCPU has made a step, or one iteration, or was kept from it. One that
 * stays there may wait for an interrupt, which a step does not let in.
 */
int point_stepped(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct kvmi_vcpu_event_singlestep *step;
	struct point *p, *again = NULL;
	size_t i, size;
	int err = 0;

	step = kvmi_event_get_data(event, &size);
	for (i = 0; i < t->point_count && !err; i++) {
		p = &t->points[i];
		if (p->stepping != state->vcpu || !p->is_stepped)
			continue;
		if (!step->failed && state->arch.regs.rip != p->gva)
			err = end_step(t, p);
		else if (++p->tries > TRIES_MAX)
			err = point_leave(t, again = p);
	}
	if (!err)
		err = kvmi_event_reply(t->vm, event, KVMI_EVENT_ACTION_CONTINUE,
				       NULL, 0);
	return err || !again ? err : ask_again(t, again, state->vcpu);
}
