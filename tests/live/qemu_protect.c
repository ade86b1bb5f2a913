// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of a Debian guest's kernel without the right to write, on both
 * vCPUs: the guest goes on, each patch of its own is an event that names a page
 * of the text, and lands when the tool lets it.
 *
 * lab: calm timeout=240
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kvmi/kvmi.h>

#include "../lib/qemu.h"
#include "../lib/test.h"

#define PAGE		4096ull
#define HUGE_PAGE	(2ull << 20)
#define PAGES_MAX	16384
#define FLIPS		3
#define TEXT		(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_X)
#define ALL		(TEXT | KVMI_PAGE_ACCESS_W)

static struct kvmi_page_access_entry pages[PAGES_MAX];
static size_t npages;

/* What the console says behind this text, 0 if it does not yet. */
static uint64_t console_number(struct qemu *qemu, const char *text)
{
	FILE *f = fopen(qemu->console, "r");
	uint64_t value = 0;
	char line[256], *at;

	expect_true(f);
	while (fgets(line, sizeof(line), f)) {
		at = strstr(line, text);
		if (at)
			value = strtoull(at + strlen(text), NULL, 0);
	}
	fclose(f);
	return value;
}

/* The kernel lies in one piece, from an address that KASLR chose. */
static void find_text(struct kvmi_vm *vm, uint64_t start, uint64_t end)
{
	uint64_t gva, gpa, base;

	expect(0, kvmi_vcpu_translate_gva(vm, 0, start, &base));
	expect_true(base != ~0ull && start % PAGE == 0 && end > start);
	for (gva = start; gva < end; gva += PAGE) {
		if (gva % HUGE_PAGE == 0) {
			expect(0, kvmi_vcpu_translate_gva(vm, 0, gva, &gpa));
			expect(base + (gva - start), gpa);
		}
		expect_true(npages < PAGES_MAX);
		pages[npages++].gpa = base + (gva - start);
	}
	note("%zu pages of text", npages);
}

static void set_text(struct kvmi_vm *vm, uint8_t access)
{
	size_t i, n;

	for (i = 0; i < npages; i++)
		pages[i].access = access;
	for (i = 0; i < npages; i += n) {
		n = npages - i;
		if (n > KVMI_PAGES_MAX)
			n = KVMI_PAGES_MAX;
		expect(0, kvmi_vm_set_page_access(vm, pages + i, n));
	}
}

static void answer(struct kvmi_vm *vm, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_pf *pf;
	size_t size;

	expect(KVMI_VCPU_EVENT_PF, kvmi_event_get_id(event));
	pf = kvmi_event_get_data(event, &size);
	expect(sizeof(*pf), size);
	expect(KVMI_PAGE_ACCESS_W, pf->access);
	expect_true(pf->gpa >= pages[0].gpa &&
		    pf->gpa < pages[npages - 1].gpa + PAGE);
	expect(pf->gpa % PAGE, pf->gva % PAGE);
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

	while (console_number(qemu, "guest: flipped ") < flips) {
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
	find_text(vm, console_number(&qemu, "guest: _stext at "),
		  console_number(&qemu, "guest: _etext at "));
	expect(0, kvmi_vcpu_control_events(vm, 0, KVMI_VCPU_EVENT_PF, true));
	expect(0, kvmi_vcpu_control_events(vm, 1, KVMI_VCPU_EVENT_PF, true));

	set_text(vm, TEXT);
	flips = console_number(&qemu, "guest: flipped ");
	events = watch(&qemu, vm, flips + FLIPS);
	note("%d writes to text", events);
	/* A byte at each of some places, three times for each change. */
	expect_true(events > 6 * (FLIPS - 1));

	set_text(vm, ALL);
	flips = console_number(&qemu, "guest: flipped ");
	watch(&qemu, vm, flips + 1);
	expect(0, watch(&qemu, vm, flips + 2));
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	kvmi_vm_close(vm);
	kvmi_listener_close(listener);
	return 0;
}
