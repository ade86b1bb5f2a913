// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Debian guest boots while the tool sees every write of CR0, CR3 and CR4,
 * from the first instruction of the firmware on: through SMM and its RSM, real
 * mode and the start of the second vCPU.
 *
 * lab: calm timeout=240
 */
#include <poll.h>

#include "../lib/event.h"
#include "../lib/qemu.h"
#include "../lib/test.h"
#include "../lib/tool.h"

static const uint8_t crs[] = { 0, 3, 4 };
static unsigned int seen[5];

/* Fails with -KVM_EAGAIN for a vCPU that waits for INIT. */
static int watch(struct peer *peer, uint16_t vcpu)
{
	int i, r = __vcpu_control_events(peer, vcpu, KVMI_VCPU_EVENT_CR, 1);

	for (i = 0; i < 3 && !r; i++)
		r = __vcpu_control_cr(peer, vcpu, crs[i], 1);
	return r;
}

/* Returns false if no event came in time. */
static bool serve(struct peer *peer, int ms)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	struct event event;

	if (!peer->nevents && poll(&p, 1, ms) == 0)
		return false;
	event_receive(peer, KVMI_VCPU_EVENT_CR, &event);
	expect_true(event.cr.old_value != event.cr.new_value);
	expect_true(event.cr.cr <= 4);
	seen[event.cr.cr]++;
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
	note("CR0 %u, CR3 %u, CR4 %u writes", seen[0], seen[3], seen[4]);
	expect(0, r);
	expect_true(seen[0] > 2 && seen[3] > 2 && seen[4] > 2);

	/* Nothing stays behind. */
	peer_close(peer);
	qemu_expect_alive(&qemu);
	qemu_quit(&qemu);
	tool_close(&tool);
	return 0;
}
