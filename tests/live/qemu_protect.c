// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of a Debian guest's kernel without the right to write, on both
 * vCPUs: the guest goes on, each patch of its own is an event that names a page
 * of the text, and lands when the tool lets it.
 *
 * lab: calm timeout=240
 */
#include <errno.h>

#include "../lib/pages.h"
#include "../lib/test.h"

#define FLIPS		3

static struct pages text;

static void answer(struct kvmi_vm *vm, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_pf *pf;
	size_t size;

	expect(KVMI_VCPU_EVENT_PF, kvmi_event_get_id(event));
	pf = kvmi_event_get_data(event, &size);
	expect(sizeof(*pf), size);
	expect(KVMI_PAGE_ACCESS_W, pf->access);
	expect_true(pages_have(&text, pf->gpa));
	expect(pf->gpa % PAGE_SIZE, pf->gva % PAGE_SIZE);
	expect(0, kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE,
				   NULL, 0));
	kvmi_event_free(event);
}

/* Until the guest has flipped that often; returns the number of events. */
static int watch(struct qemu *qemu, struct kvmi_vm *vm, uint64_t flips)
{
	uint64_t end = now_ms() + 4 * DEADLINE_MS;
	struct kvmi_event *event;
	int r, events = 0;

	while (qemu_console_number(qemu, "guest: flipped ") < flips) {
		if (now_ms() > end)
			fail("the guest stands still");
		r = kvmi_vm_next_event(vm, 200, &event);
		if (r == -ETIMEDOUT)
			continue;
		expect(0, r);
		answer(vm, event);
		events++;
	}
	return events;
}

int main(void)
{
	struct qemu_options options = { .append = "load=flip", .object = "" };
	struct kvmi_listener *listener;
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	struct qemu qemu;
	uint64_t flips;
	int events;

	kvmi_options_init(&opts);
	qemu_prepare(&qemu);
	expect(0, kvmi_listener_open_unix(&listener, qemu.socket, &opts));
	qemu_start(&qemu, &options);
	expect(0, kvmi_listener_accept(listener, QEMU_UUID, DEADLINE_MS, &vm));
	qemu_wait_console(&qemu, "guest: flipped ", 1);
	pages_add_text(&text, &qemu, vm);
	expect(0, kvmi_vcpu_control_events(vm, 0, KVMI_VCPU_EVENT_PF, true));
	expect(0, kvmi_vcpu_control_events(vm, 1, KVMI_VCPU_EVENT_PF, true));

	pages_set(&text, vm, PAGE_NO_WRITE);
	flips = qemu_console_number(&qemu, "guest: flipped ");
	events = watch(&qemu, vm, flips + FLIPS);
	note("%d writes to text", events);
	/* A byte at each of some places, three times for each change. */
	expect_true(events > 6 * (FLIPS - 1));

	pages_set(&text, vm, PAGE_ALL);
	flips = qemu_console_number(&qemu, "guest: flipped ");
	watch(&qemu, vm, flips + 1);
	expect(0, watch(&qemu, vm, flips + 2));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
