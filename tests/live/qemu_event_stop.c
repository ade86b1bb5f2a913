// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU stops the VM for a debugger, says "info registers" and goes on, while an
 * event of each kind is unanswered on both vCPUs and timers interrupt the guest
 * 1000 times a second; the tool stays. Registers and reply, given before, during
 * or after the stop, take effect once, at their instruction. "quit" does not wait
 * for a reply.
 *
 * lab: calm timeout=180
 */
#include "../lib/bare.h"
#include "../lib/event.h"
#include "../lib/test.h"
#include "../lib/tool.h"
#include "../lib/vmm.h"

#define ROUNDS	4

enum { BEFORE, DURING, AFTER, WHENS };

/* 2 s, unless the kernel is slow. */
#define LIMIT_MS	(DEADLINE_MS * 2 / 15)

static const uint64_t kinds[] = {
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_INT3, GUEST_HYPERCALL,
	GUEST_PAGE,
};

static void timely(struct bare *bare, const char *command,
		   const char *arguments)
{
	uint64_t start = now_ms();

	qmp(&bare->qemu.qmp, command, arguments);
	if (now_ms() - start >= LIMIT_MS)
		fail("%s took %d ms", command, (int)(now_ms() - start));
}

static void timely_stop(struct bare *bare)
{
	uint64_t start = now_ms();

	qemu_freeze(&bare->qemu);
	if (now_ms() - start >= LIMIT_MS)
		fail("the stop took %d ms", (int)(now_ms() - start));
}

/* r15 is what the guest adds to its marks after the instruction. */
static void answer(struct peer *peer, struct event *events)
{
	struct kvm_regs regs;
	int i;

	for (i = 0; i < 2; i++) {
		regs = events[i].arch.regs;
		regs.r15 = 1;
		vcpu_set_registers(peer, i, &regs);
		event_continue(peer, &events[i]);
	}
}

static void stop_and_go(struct bare *bare, struct peer *peer,
			struct event *events, int when,
			void (*give)(struct peer *peer, struct event *events))
{
	/* A few ticks are due by now. */
	sleep_ms(5);
	if (when == BEFORE)
		give(peer, events);
	timely_stop(bare);
	timely(bare, "human-monitor-command",
	       "{ 'command-line': 'info registers -a' }");
	if (when == DURING)
		give(peer, events);
	qemu_thaw(&bare->qemu);
	if (when == AFTER) {
		sleep_ms(5);
		give(peer, events);
	}
}

/* The events so far were as many as the instructions, and so the marks. */
static void expect_done(struct bare *bare, int vcpu, uint64_t kind, uint64_t n)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);

	bare_wait_rest(bare, vcpu);
	expect(n, state->executions);
	expect(n, state->marks);
	if (kind == GUEST_INT3)
		expect(n, state->traps);
	else if (kind == GUEST_HYPERCALL)
		expect(0, state->result);
	else
		expect(state->wanted, state->result);
}

/* A handler that was left in its middle would not have counted its end. */
static void expect_ticking(struct bare *bare, int vcpu)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);
	uint64_t ticks = state->ticks_done;

	wait_for(state->ticks_done > ticks + 2);
	timely_stop(bare);
	expect_true(state->ticks - state->ticks_done <= 1);
	expect(0, state->wrong);
	qemu_thaw(&bare->qemu);
}

static void test_kind(struct bare *bare, struct peer *peer, uint64_t kind)
{
	struct event events[2];
	int i, n;

	note("kind %d", (int)kind);
	for (i = 0; i < 2; i++) {
		bare_prepare(bare, i, kind);
		kind_control(peer, i, kind, 1);
	}
	for (n = 1; n <= ROUNDS * WHENS; n++) {
		bare_allow(bare, 0, 1);
		bare_allow(bare, 1, 1);
		event_receive_each(peer, kind_event(kind), events, 2);
		expect(vmm_kind_rip(kind), events[0].arch.regs.rip);
		expect(vmm_kind_rip(kind), events[1].arch.regs.rip);
		expect(n - 1, bare_state(bare, 0)->executions);
		expect(n - 1, bare_state(bare, 1)->executions);
		stop_and_go(bare, peer, events, n % WHENS, answer);
		expect_done(bare, 0, kind, n);
		expect_done(bare, 1, kind, n);
	}
	event_expect_none(peer);
	for (i = 0; i < 2; i++) {
		expect_ticking(bare, i);
		kind_control(peer, i, kind, 0);
	}
}

/* r15 would be anybody's: a pause is bound to no instruction. */
static void go_on(struct peer *peer, struct event *events)
{
	event_continue(peer, &events[0]);
	event_continue(peer, &events[1]);
}

static void test_pause(struct bare *bare, struct peer *peer)
{
	struct event events[2];
	uint64_t before[2];
	int i, n;

	note("pause");
	for (i = 0; i < 2; i++) {
		bare_prepare(bare, i, GUEST_CR3);
		bare_allow(bare, i, 1ull << 60);
	}
	for (n = 0; n < ROUNDS * WHENS; n++) {
		vcpu_pause(peer, 0);
		vcpu_pause(peer, 1);
		event_receive_each(peer, KVMI_VCPU_EVENT_PAUSE, events, 2);
		for (i = 0; i < 2; i++)
			before[i] = bare_state(bare, i)->executions;
		stop_and_go(bare, peer, events, n % WHENS, go_on);
		for (i = 0; i < 2; i++)
			wait_for(bare_state(bare, i)->executions >
				 before[i] + 1);
		event_expect_none(peer);
	}
	expect_ticking(bare, 0);
	expect_ticking(bare, 1);
}

int main(void)
{
	struct event events[2];
	struct bare bare = { 0 };
	struct tool tool;
	size_t i;

	qemu_prepare(&bare.qemu);
	tool_listen(&tool, bare.qemu.socket);
	bare_start(&bare, "");
	tool_session_again(&tool);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(&bare, &tool.peer, kinds[i]);
	test_pause(&bare, &tool.peer);

	vcpu_pause(&tool.peer, 0);
	vcpu_pause(&tool.peer, 1);
	event_receive_each(&tool.peer, KVMI_VCPU_EVENT_PAUSE, events, 2);
	timely(&bare, "quit", NULL);
	expect(0, qemu_wait(&bare.qemu));
	peer_expect_closed(&tool.peer);
	qemu_kill(&bare.qemu);
	tool_close(&tool);
	return 0;
}
