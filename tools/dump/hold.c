// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All vCPUs stand still: each one has reported a pause and waits for the reply.
 * One that has not started can only be started by another, so when a round finds
 * none to pause all is still.
 */
#include <errno.h>
#include <stdlib.h>

#include "dump.h"
#include "kvmi.h"

#define EVENT_TIMEOUT	10	/* s */
#define POLL_MS		100

static void let_go(struct kvmi_vm *vm, struct kvmi_event *event)
{
	if (kvmi_event_get_vcpu(event) >= 0)
		kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	kvmi_event_free(event);
}

/* Keeps a pause of a vCPU; what else comes is not ours. */
static void take(struct hold *hold, struct kvmi_event *event)
{
	unsigned int id = kvmi_event_get_id(event);
	int vcpu = kvmi_event_get_vcpu(event);

	if (id == KVMI_VM_EVENT_UNHOOK)
		hold->is_unhooking = true;
	if (id == KVMI_VCPU_EVENT_PAUSE && vcpu >= 0 &&
	    (unsigned int)vcpu < hold->vcpus && !hold->events[vcpu])
		hold->events[vcpu] = event;
	else
		let_go(hold->vm, event);
}

static int wait_for(struct hold *hold, unsigned int vcpu)
{
	unsigned int tries = EVENT_TIMEOUT * 1000 / POLL_MS;
	struct kvmi_event *event;
	int err;

	while (!hold->events[vcpu]) {
		if (is_stopped)
			return -EINTR;
		if (hold->is_unhooking)
			return -ECANCELED;
		err = kvmi_vm_next_event(hold->vm, POLL_MS, &event);
		if (!err)
			take(hold, event);
		else if (err != -ETIMEDOUT || !--tries)
			return err;
	}
	return 0;
}

static int pause_one(struct hold *hold, unsigned int vcpu, bool *is_new)
{
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	if (hold->events[vcpu])
		return 0;
	err = kvmi_vcpu_get_registers(hold->vm, vcpu, NULL, 0, &reply, NULL);
	if (err == -EAGAIN)
		return 0;
	*is_new = true;
	if (!err)
		err = kvmi_vm_pause_vcpu(hold->vm, vcpu, true);
	if (!err)
		err = wait_for(hold, vcpu);
	if (err && err != -EINTR && err != -ECANCELED)
		complain(err, "vCPU %u does not stop", vcpu);
	return err;
}

static int pause_all(struct hold *hold)
{
	bool is_new = true;
	unsigned int i;
	int err = 0;

	while (is_new && !err) {
		is_new = false;
		for (i = 0; i < hold->vcpus && !err; i++)
			err = pause_one(hold, i, &is_new);
	}
	return err;
}

int hold_begin(struct hold *hold, struct kvmi_vm *vm)
{
	unsigned int first;
	int err;

	*hold = (struct hold){ .vm = vm };
	err = vcpu_range(vm, -1, &first, &hold->vcpus);
	if (err)
		return err;
	hold->events = calloc(hold->vcpus, sizeof(*hold->events));
	if (!hold->events) {
		complain(-ENOMEM, "cannot pause the vCPUs");
		return -ENOMEM;
	}
	return pause_all(hold);
}

int hold_check(struct hold *hold)
{
	struct kvmi_event *event;

	while (!kvmi_vm_next_event(hold->vm, 0, &event))
		take(hold, event);
	return hold->is_unhooking ? -ECANCELED : 0;
}

int hold_end(struct hold *hold)
{
	struct kvmi_event *event;
	unsigned int i;
	int err = 0, late;

	for (i = 0; hold->events && i < hold->vcpus; i++) {
		if (!hold->events[i])
			continue;
		late = kvmi_event_reply(hold->vm, hold->events[i],
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
		err = late ? late : err;
		kvmi_event_free(hold->events[i]);
	}
	free(hold->events);
	hold->events = NULL;
	while (!kvmi_vm_next_event(hold->vm, 0, &event))
		let_go(hold->vm, event);
	if (err && err != -ECONNRESET)
		complain(err, "cannot let a vCPU go on");
	return err;
}
