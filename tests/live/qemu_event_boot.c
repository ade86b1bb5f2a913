// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Debian guest boots while the tool sees every write of CR0, CR3, CR4, XCR0
 * and the MSRs of system calls, and every use of a descriptor table, from the
 * first instruction of the firmware on: through SMM and its RSM, real mode and
 * the start of the second vCPU.
 *
 * lab: calm timeout=240
 */
#include <poll.h>

#include "../lib/event.h"
#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

static const uint8_t crs[] = { 0, 3, 4 };
static const uint32_t msrs[] = {
	0x174, 0x175, 0x176, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083,
	0xc0000084, 0xc0000101, 0xc0000102,
};

static const uint16_t events[] = {
	KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_MSR, KVMI_VCPU_EVENT_XSETBV,
	KVMI_VCPU_EVENT_DESCRIPTOR,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned int seen[5], seen_efer, seen_lstar, seen_xsetbv;
static unsigned int seen_tables[5][2];

/* Fails with -KVM_EAGAIN for a vCPU that waits for INIT. */
static int watch(struct peer *peer, uint16_t vcpu)
{
	size_t i;
	int r = 0;

	for (i = 0; i < COUNT(events) && !r; i++)
		r = __vcpu_control_events(peer, vcpu, events[i], 1);
	for (i = 0; i < COUNT(crs) && !r; i++)
		r = __vcpu_control_cr(peer, vcpu, crs[i], 1);
	for (i = 0; i < COUNT(msrs) && !r; i++)
		r = __vcpu_control_msr(peer, vcpu, msrs[i], 1);
	return r;
}

static void judge(const struct event *event)
{
	switch (event->id) {
	case KVMI_VCPU_EVENT_CR:
		expect_true(event->cr.cr <= 4);
		seen[event->cr.cr]++;
		break;
	case KVMI_VCPU_EVENT_MSR:
		seen_efer += event->msr.msr == 0xc0000080;
		seen_lstar += event->msr.msr == 0xc0000082;
		break;
	case KVMI_VCPU_EVENT_XSETBV:
		seen_xsetbv++;
		break;
	case KVMI_VCPU_EVENT_DESCRIPTOR:
		expect_true(event->descriptor.descriptor <= KVMI_DESC_TR);
		expect_true(event->descriptor.write <= 1);
		seen_tables[event->descriptor.descriptor]
			   [event->descriptor.write]++;
		return;
	default:
		fail("event %u was not asked for", event->id);
	}
	/* The three have their values at the same place. */
	expect_true(event->cr.old_value != event->cr.new_value);
}

/* Returns false if no event came in time. */
static bool serve(struct peer *peer, int ms)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	struct event event;

	if (!peer->nevents && poll(&p, 1, ms) == 0)
		return false;
	expect(0, __event_receive(peer, &event));
	judge(&event);
	event_continue(peer, &event);
	return true;
}

int main(void)
{
	struct qemu_options options = { .object = "", .stopped = true };
	struct qemu qemu;
	struct tool tool;
	struct peer *peer = &tool.peer;
	uint64_t end;
	unsigned int n;
	int r = -KVM_EAGAIN;

	qemu_prepare(&qemu);
	tool_listen(&tool, qemu.socket);
	qemu_start(&qemu, &options);
	tool_session(&tool);
	expect(0, watch(peer, 0));
	expect(-KVM_EAGAIN, watch(peer, 1));
	qmp(&qemu.qmp, "cont", NULL);

	end = now_ms() + 10 * DEADLINE_MS;
	for (n = 0; file_count(qemu.console, "beacon: ") < 2; n++) {
		serve(peer, 20);
		if (r && n % 16 == 0) {
			r = watch(peer, 1);
			if (!r)
				note("the second vCPU is watched, too");
			else
				expect(-KVM_EAGAIN, r);
		}
		if (now_ms() > end)
			fail("no boot with %u events", n);
	}
	expect(0, r);
	note("CR0 %u, CR3 %u, CR4 %u writes", seen[0], seen[3], seen[4]);
	note("EFER %u, LSTAR %u, XCR0 %u writes", seen_efer, seen_lstar,
	     seen_xsetbv);
	for (r = KVMI_DESC_IDTR; r <= KVMI_DESC_TR; r++)
		note("table %d: %u stores, %u loads", r, seen_tables[r][0],
		     seen_tables[r][1]);
	expect_true(seen[0] > 2 && seen[3] > 2 && seen[4] > 2);
	/* Both vCPUs set up system calls, tables and a task. */
	expect_true(seen_efer >= 2 && seen_lstar >= 2);
	expect_true(seen_tables[KVMI_DESC_IDTR][1] >= 2 &&
		    seen_tables[KVMI_DESC_GDTR][1] >= 2 &&
		    seen_tables[KVMI_DESC_LDTR][1] >= 2 &&
		    seen_tables[KVMI_DESC_TR][1] >= 2);

	/* Nothing stays behind. */
	peer_close(peer);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	tool_close(&tool);
	return 0;
}
