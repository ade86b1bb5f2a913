// SPDX-License-Identifier: GPL-2.0-or-later
/* All vCPUs stop together, and go as gdb wishes. */
#include <errno.h>
#include <sys/types.h>
#include <time.h>

#include "gdb.h"
#include "step.h"

#define POLL_MS		50
#define STOP_MS		3000
#define STEP_MS		2000
#define UNDO_MS		1000

static int control(struct gdb *g, unsigned int vcpu, bool enable)
{
	int err;

	err = kvmi_vcpu_control_events(g->vm, vcpu, KVMI_VCPU_EVENT_BREAKPOINT,
				       enable);
	if (err || !g->watch_count)
		return err;
	return kvmi_vcpu_control_events(g->vm, vcpu, KVMI_VCPU_EVENT_PF,
					enable);
}

int gdb_control_access(struct gdb *g, bool enable)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < g->count && !err; i++)
		if (g->vcpus[i].is_ready)
			err = kvmi_vcpu_control_events(g->vm, i,
						       KVMI_VCPU_EVENT_PF,
						       enable);
	return err;
}

int gdb_refresh(struct gdb *g)
{
	struct kvmi_vm_get_info_reply info;
	unsigned int i;
	int err;

	err = kvmi_vm_get_info(g->vm, &info);
	if (err)
		return err;
	g->count = info.vcpu_count < GDB_VCPUS ? info.vcpu_count : GDB_VCPUS;
	for (i = 0; i < g->count; i++) {
		if (g->vcpus[i].is_ready)
			continue;
		err = control(g, i, true);
		if (err && err != -EAGAIN)
			return err;
		g->vcpus[i].is_ready = !err;
	}
	return 0;
}

static bool is_missing(const struct gdb *g)
{
	unsigned int i;

	for (i = 0; i < g->count; i++)
		if (g->vcpus[i].is_ready && !g->vcpus[i].event)
			return true;
	return false;
}

int64_t gdb_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int gdb_stop_all(struct gdb *g)
{
	int64_t end = gdb_now() + STOP_MS;
	unsigned int i;
	int err;

	err = gdb_refresh(g);
	for (i = 0; i < g->count && !err; i++) {
		g->vcpus[i].wish = GDB_STAY;
		if (g->vcpus[i].is_ready && !g->vcpus[i].event &&
		    !g->vcpus[i].owed)
			err = gdb_pause(g, &g->vcpus[i]);
	}
	while (!err && !g->is_unhooking && is_missing(g) && gdb_now() < end)
		err = gdb_take_all(g, POLL_MS);
	return err;
}

int gdb_news(const struct gdb *g)
{
	unsigned int i;

	for (i = 0; i < g->count; i++)
		if (g->vcpus[i].event && g->vcpus[i].stop &&
		    g->vcpus[i].is_awaited)
			return (int)i;
	return -1;
}

/* The breakpoint of ours that it stands at, NULL: none. */
static struct gdb_break *standing_at(struct gdb *g, const struct gdb_vcpu *c)
{
	const struct kvmi_vcpu_event_breakpoint *bp;
	size_t size;

	if (!c->event ||
	    kvmi_event_get_id(c->event) != KVMI_VCPU_EVENT_BREAKPOINT)
		return NULL;
	bp = kvmi_event_get_data(c->event, &size);
	return gdb_find_break(g, bp->gpa);
}

/* Has it wait behind the instruction, while all others wait. */
static int step_over(struct gdb *g, struct gdb_vcpu *c, struct gdb_break *b)
{
	int64_t end = gdb_now() + STEP_MS;
	int err, late;

	err = gdb_disarm(g, b);
	if (!err)
		err = gdb_begin_steps(g, c);
	c->wants_step = !err;
	if (!err)
		err = gdb_let_go(g, c);
	while (!err && !c->event && !g->is_unhooking && gdb_now() < end)
		err = gdb_take_all(g, POLL_MS);
	gdb_end_steps(g, c);
	late = gdb_arm(g, b);
	if (c->stop == GDB_STEPPED && c->wish == GDB_GO)
		c->stop = GDB_NOTHING;
	return err ? err : late;
}

/* Without single step of the host what has no effect can be passed. */
static int step_by_registers(struct gdb *g, struct gdb_vcpu *c)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(c->event);
	unsigned int current = g->current;
	uint8_t code[KVMI_INSTRUCTION_MAX];
	ssize_t size;

	if (!c->is_changed)
		c->regs = state->arch.regs;
	g->current = state->vcpu;
	size = gdb_read_memory(g, c->regs.rip, code, sizeof(code));
	g->current = current;
	size = size > 0 ? (ssize_t)step_size(code, (size_t)size) : 0;
	if (!size || state->arch.mode != 8)
		return -EOPNOTSUPP;
	c->regs.rip += (uint64_t)size;
	c->is_changed = true;
	c->stop = GDB_STEPPED;
	return 0;
}

/* News of a breakpoint that is gone are none. */
static bool has_news(struct gdb *g, struct gdb_vcpu *c)
{
	if (c->stop == GDB_BROKE && !standing_at(g, c))
		c->stop = GDB_NOTHING;
	return c->event && c->stop;
}

static int resume(struct gdb *g, struct gdb_vcpu *c)
{
	int err = 0;

	if (c->wish == GDB_STEP && c->event && !g->can_step)
		return step_by_registers(g, c);
	if (c->wish == GDB_STEP && c->is_ready) {
		err = gdb_begin_steps(g, c);
		c->wants_step = !err;
	}
	return err ? err : gdb_let_go(g, c);
}

int gdb_resume(struct gdb *g)
{
	struct gdb_break *b;
	struct gdb_vcpu *c;
	bool waits = false;
	unsigned int i;
	int err = 0;

	for (i = 0; i < g->count; i++) {
		c = &g->vcpus[i];
		c->is_awaited = c->wish != GDB_STAY;
		waits |= c->is_awaited && has_news(g, c);
	}
	for (i = 0; i < g->count && !err && !waits; i++) {
		c = &g->vcpus[i];
		b = c->is_awaited && g->can_step && !c->is_changed ?
			standing_at(g, c) : NULL;
		if (b)
			err = step_over(g, c, b);
		waits |= b && c->stop;
	}
	for (i = 0; i < g->count && !err && !waits; i++)
		if (g->vcpus[i].is_awaited)
			err = resume(g, &g->vcpus[i]);
	return err;
}

static bool is_owed(const struct gdb *g)
{
	unsigned int i;

	for (i = 0; i < g->count; i++)
		if (g->vcpus[i].owed)
			return true;
	return false;
}

/* Once control() is answered no event can come that is not here yet. */
int gdb_undo(struct gdb *g)
{
	int64_t end = gdb_now() + UNDO_MS;
	int err = gdb_remove_all(g);
	struct gdb_vcpu *c;
	unsigned int i;
	int late;

	for (i = 0; i < g->count; i++) {
		c = &g->vcpus[i];
		c->wish = GDB_GO;
		c->is_awaited = false;
		if (c->is_ready) {
			gdb_end_steps(g, c);
			control(g, i, false);
		}
		c->is_ready = false;
	}
	late = gdb_take_all(g, 0);
	for (i = 0; i < g->count && !late; i++)
		late = gdb_let_go(g, &g->vcpus[i]);
	while (!late && is_owed(g) && gdb_now() < end)
		late = gdb_take_all(g, POLL_MS);
	return err ? err : late;
}
