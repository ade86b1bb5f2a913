// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest whose kernel stores where the test wants it to.
 */
#include <string.h>

#include "lock.h"
#include "test.h"

void lock_read_box(struct lock *lock, size_t at, void *data, size_t size)
{
	expect(0, kvmi_vm_read_physical(lock->vm, lock->box + at, data, size));
}

static void wait_ready(struct lock *lock)
{
	static struct store_box box;
	int i;

	lock->box = qemu_console_number(&lock->qemu, "the box is at gpa ");
	for (i = 0; i < STORE_CPUS; i++)
		do {
			lock_read_box(lock, 0, &box, sizeof(box));
		} while (!box.ready[i] && (sleep_ms(5), true));
	if (box.missing)
		skip("the guest's processor lacks XSAVE, AVX or CMPXCHG16B");
	memcpy(lock->targets, box.targets, sizeof(box.targets));
}

void lock_open(struct lock *lock)
{
	struct qemu_options options = { .append = "load=store", .object = "" };
	struct kvmi_options opts;
	int i;

	memset(lock, 0, sizeof(*lock));
	kvmi_options_init(&opts);
	qemu_prepare(&lock->qemu);
	expect(0, kvmi_listener_open_unix(&lock->listener, lock->qemu.socket,
					  &opts));
	qemu_start(&lock->qemu, &options);
	expect(0, kvmi_listener_accept(lock->listener, QEMU_UUID, DEADLINE_MS,
				       &lock->vm));
	qemu_wait_console(&lock->qemu, "the box is at gpa ", 1);
	qemu_wait_console(&lock->qemu, "beacon: ", 1);
	wait_ready(lock);
	pages_add_text(&lock->pages, &lock->qemu, lock->vm);
	lock->ntext = lock->pages.n;
	for (i = 0; i < STORE_CPUS; i++)
		expect(0, kvmi_vcpu_control_events(lock->vm, i,
						   KVMI_VCPU_EVENT_PF, true));
}

void lock_close(struct lock *lock)
{
	qemu_expect_alive(&lock->qemu);
	qemu_quit(&lock->qemu);
	kvmi_vm_close(lock->vm);
	kvmi_listener_close(lock->listener);
}

void lock_request(struct lock *lock, struct store_request *request)
{
	size_t at = lock->box + offsetof(struct store_box, request);

	request->turn = ++lock->turn;
	request->flags = lock->flags;
	expect(0, kvmi_vm_write_physical(lock->vm, at + sizeof(request->turn),
					 &request->cpu, sizeof(*request) -
					 sizeof(request->turn)));
	expect(0, kvmi_vm_write_physical(lock->vm, at, &request->turn,
					 sizeof(request->turn)));
}

bool lock_is_over(struct lock *lock)
{
	uint32_t turn;

	lock_read(lock, reply.turn, &turn);
	return turn == lock->turn;
}

/* A turn of no store; whatever the guest itself does meanwhile may happen. */
static void turn_over(struct lock *lock)
{
	struct store_request none = { .kind = STORE_KINDS };
	uint64_t end = now_ms() + 4 * DEADLINE_MS;
	struct kvmi_event *event;

	lock_request(lock, &none);
	while (!lock_is_over(lock)) {
		expect_true(now_ms() < end);
		if (kvmi_vm_next_event(lock->vm, 5, &event))
			continue;
		expect(0, kvmi_event_reply(lock->vm, event,
					   KVMI_EVENT_ACTION_CONTINUE, NULL,
					   0));
		kvmi_event_free(event);
	}
}

/* A vCPU may have been about to raise an event when the pages were opened. */
void lock_none(struct lock *lock)
{
	pages_set(&lock->pages, lock->vm, PAGE_ALL);
	lock->pages.n = lock->ntext;
	turn_over(lock);
}

void lock_only(struct lock *lock, int cpu, int target)
{
	lock_none(lock);
	pages_add(&lock->pages, lock->targets[cpu][target].gpa);
	pages_set(&lock->pages, lock->vm, PAGE_NO_WRITE);
}

void lock_tables(struct lock *lock)
{
	int i;

	lock_none(lock);
	for (i = 0; i < STORE_CPUS; i++)
		pages_add_tables(&lock->pages, lock->vm, i);
	note("%zu page tables", lock->pages.n - lock->ntext);
	pages_set(&lock->pages, lock->vm, PAGE_NO_WRITE);
}

void lock_quiet(struct lock *lock, bool quiet)
{
	lock->flags = quiet ? STORE_QUIET : 0;
	turn_over(lock);
}
