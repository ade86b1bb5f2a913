// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A vCPU stops by an event that is not answered: that of a breakpoint, a step,
 * or a pause that was asked for. What it finds on the way and gdb need not know
 * of is answered at once.
 */
#include <errno.h>
#include <sys/types.h>

#include "gdb.h"

#define STEP_TRIES	20

static unsigned int index_of(const struct gdb *g, const struct gdb_vcpu *c)
{
	return (unsigned int)(c - g->vcpus);
}

int gdb_begin_steps(struct gdb *g, struct gdb_vcpu *c)
{
	int err = 0;

	if (!c->is_stepping)
		err = kvmi_vcpu_control_singlestep(g->vm, index_of(g, c), true);
	c->is_stepping = !err;
	return err;
}

void gdb_end_steps(struct gdb *g, struct gdb_vcpu *c)
{
	c->wants_step = false;
	c->is_hit = false;
	c->tries = 0;
	if (c->is_stepping)
		kvmi_vcpu_control_singlestep(g->vm, index_of(g, c), false);
	c->is_stepping = false;
}

/* An INT3 that is not ours is the guest's, if it is still there. */
static unsigned int action_for(struct gdb *g, const struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_breakpoint *bp;
	uint8_t byte = 0;
	size_t size;

	if (kvmi_event_get_id(event) != KVMI_VCPU_EVENT_BREAKPOINT)
		return KVMI_EVENT_ACTION_CONTINUE;
	bp = kvmi_event_get_data(event, &size);
	if (gdb_find_break(g, bp->gpa) ||
	    kvmi_vm_read_physical(g->vm, bp->gpa, &byte, 1) ||
	    byte != GDB_INT3)
		return KVMI_EVENT_ACTION_RETRY;
	return KVMI_EVENT_ACTION_CONTINUE;
}

int gdb_let_go(struct gdb *g, struct gdb_vcpu *c)
{
	unsigned int action;
	int err = 0;

	if (!c->event)
		return 0;
	action = action_for(g, c->event);
	if (c->is_changed)
		err = kvmi_vcpu_set_registers(g->vm, index_of(g, c), &c->regs);
	if (!err || err == -EOPNOTSUPP)
		err = kvmi_event_reply(g->vm, c->event, action, NULL, 0);
	if (err && err != -EALREADY)
		return err;
	kvmi_event_free(c->event);
	c->event = NULL;
	c->is_changed = false;
	c->stop = GDB_NOTHING;
	return 0;
}

int gdb_pause(struct gdb *g, struct gdb_vcpu *c)
{
	int err = kvmi_vm_pause_vcpu(g->vm, index_of(g, c), false);

	if (!err)
		c->owed++;
	return err;
}

static void hold(struct gdb *g, struct gdb_vcpu *c, enum gdb_stop stop)
{
	c->stop = stop;
	gdb_end_steps(g, c);
}

static int take_break(struct gdb *g, struct gdb_vcpu *c)
{
	const struct kvmi_vcpu_event_breakpoint *bp;
	const struct gdb_break *b;
	size_t size;

	bp = kvmi_event_get_data(c->event, &size);
	b = gdb_find_break(g, bp->gpa);
	if (!b)
		return gdb_let_go(g, c);
	c->kind = b->kind;
	hold(g, c, GDB_BROKE);
	return 0;
}

/* gdb is told behind the access, when it can see what has become of it. */
static int take_access(struct gdb *g, struct gdb_vcpu *c)
{
	const struct kvmi_vcpu_event_pf *pf;
	const struct gdb_watch *w;
	size_t size;
	int err = 0;

	pf = kvmi_event_get_data(c->event, &size);
	w = gdb_find_watch(g, pf->gpa, pf->access);
	if (w && !c->is_hit) {
		c->is_hit = true;
		c->watched = w->gva;
		c->kind = w->kind;
		if (!g->can_step || gdb_begin_steps(g, c))
			err = gdb_pause(g, c);
	}
	return err ? err : gdb_let_go(g, c);
}

/* The reply to a breakpoint counts as a step that failed: it is made now. */
static int take_step(struct gdb *g, struct gdb_vcpu *c)
{
	const struct kvmi_vcpu_event_singlestep *step;
	size_t size;

	step = kvmi_event_get_data(c->event, &size);
	if (c->is_hit && !step->failed)
		hold(g, c, GDB_WATCHED);
	else if (c->wants_step && (!step->failed || ++c->tries > STEP_TRIES))
		hold(g, c, GDB_STEPPED);
	else
		return gdb_let_go(g, c);
	return 0;
}

static int take_pause(struct gdb *g, struct gdb_vcpu *c)
{
	if (c->owed)
		c->owed--;
	if (c->is_hit && !c->is_stepping) {
		hold(g, c, GDB_WATCHED);
		return 0;
	}
	if (c->wish != GDB_STAY || c->is_hit)
		return gdb_let_go(g, c);
	hold(g, c, GDB_NOTHING);
	return 0;
}

int gdb_take(struct gdb *g, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct gdb_vcpu *c;
	int err;

	if (!state || state->vcpu >= GDB_VCPUS) {
		g->is_unhooking |= !state;
		kvmi_event_free(event);
		return 0;
	}
	c = &g->vcpus[state->vcpu];
	/* It was moved, as by a reset: the one before is over. */
	err = gdb_let_go(g, c);
	if (err) {
		kvmi_event_free(event);
		return err;
	}
	c->event = event;
	switch (kvmi_event_get_id(event)) {
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return take_break(g, c);
	case KVMI_VCPU_EVENT_PF:
		return take_access(g, c);
	case KVMI_VCPU_EVENT_SINGLESTEP:
		return take_step(g, c);
	case KVMI_VCPU_EVENT_PAUSE:
		return take_pause(g, c);
	default:
		return gdb_let_go(g, c);
	}
}

int gdb_take_all(struct gdb *g, int ms)
{
	struct kvmi_event *event;
	int err;

	err = kvmi_vm_next_event(g->vm, ms, &event);
	while (!err) {
		err = gdb_take(g, event);
		if (!err)
			err = kvmi_vm_next_event(g->vm, 0, &event);
	}
	return err == -ETIMEDOUT || err == -EAGAIN ? 0 : err;
}
