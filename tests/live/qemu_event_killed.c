// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tool is killed while an event of each kind is unanswered on both vCPUs of
 * our QEMU: just so, in the middle of its reply, or with registers set. The
 * guest runs on within a second as if there had been no event, and QEMU
 * connects to the next tool.
 *
 * lab: calm timeout=180
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../lib/bare.h"
#include "../lib/event.h"
#include "../lib/test.h"
#include "../lib/tool.h"

#define PAUSE		100		/* no kind of instruction */
#define MANY		(1ull << 60)
/* 1 s, unless the kernel is slow. */
#define LIMIT_MS	(DEADLINE_MS / 15)

enum { JUST_SO, HALF_REPLY, WITH_REGISTERS, ENDS };

static const uint64_t kinds[] = {
	GUEST_CR0, GUEST_CR3, GUEST_CR4, GUEST_INT3, GUEST_HYPERCALL, GUEST_PAGE,
	PAUSE,
};

static void half_reply(struct peer *peer, const struct event *event)
{
	struct kvmi_msg_hdr hdr = { KVMI_VCPU_EVENT, 16, event->seq };

	peer_write(peer, &hdr, sizeof(hdr));
	peer_write(peer, "\0\0\0", 3);
}

static void set_registers(struct peer *peer, const struct event *event)
{
	struct kvm_regs regs = event->arch.regs;

	regs.r15 = 1;
	regs.rip = 0;
	vcpu_set_registers(peer, event->vcpu, &regs);
}

static void raise_events(struct bare *bare, struct peer *peer, uint64_t kind)
{
	int i;

	for (i = 0; i < 2; i++)
		if (kind == PAUSE) {
			vcpu_pause(peer, i);
		} else {
			kind_control(peer, i, kind, 1);
			bare_allow(bare, i, 1);
		}
}

/* The process that will be killed. */
static void tool_run(struct bare *bare, uint64_t kind, int end,
		     volatile int *ready)
{
	struct event events[2];
	struct tool tool;
	int i;

	tool_listen(&tool, bare->qemu.socket);
	tool_session_again(&tool);
	raise_events(bare, &tool.peer, kind);
	event_receive_each(&tool.peer, kind == PAUSE ? KVMI_VCPU_EVENT_PAUSE :
			   kind_event(kind), events, 2);
	for (i = 0; i < 2; i++)
		if (end == WITH_REGISTERS)
			set_registers(&tool.peer, &events[i]);
	if (end == HALF_REPLY)
		half_reply(&tool.peer, &events[0]);
	*ready = 1;
	for (;;)
		pause();
}

/* What an execution leaves that no tool has seen. */
static void expect_done(struct bare *bare, int vcpu, uint64_t kind, uint64_t n)
{
	volatile struct guest_state *state = bare_state(bare, vcpu);

	bare_wait_rest(bare, vcpu);
	expect(n, state->executions);
	expect(0, state->marks);
	if (kind == GUEST_INT3)
		expect(n, state->traps);
	else if (kind == GUEST_HYPERCALL)
		expect(-KVM_ENOSYS, state->result);
	else
		expect(state->wanted, state->result);
}

static bool moved(struct bare *bare, const struct guest_state *before)
{
	int i;

	for (i = 0; i < 2; i++)
		if (bare_state(bare, i)->executions <= before[i].executions ||
		    bare_state(bare, i)->ticks_done <= before[i].ticks_done + 1)
			return false;
	return true;
}

static void one_round(struct bare *bare, uint64_t kind, int end,
		      volatile int *ready)
{
	struct guest_state before[2];
	uint64_t start;
	int i, pid;

	*ready = 0;
	pid = must(fork());
	if (!pid)
		tool_run(bare, kind, end, ready);
	wait_for(*ready);
	for (i = 0; i < 2; i++)
		before[i] = *bare_state(bare, i);
	sleep_ms(20);
	for (i = 0; i < 2; i++) {
		expect(before[i].executions, bare_state(bare, i)->executions);
		expect(before[i].ticks, bare_state(bare, i)->ticks);
	}

	start = now_ms();
	must(kill(pid, SIGKILL));
	while (!moved(bare, before))
		if (now_ms() - start > LIMIT_MS)
			fail("the guest stands for %d ms", LIMIT_MS);
	expect(128 + SIGKILL, wait_child(pid));
}

static void test_kind(struct bare *bare, uint64_t kind, volatile int *ready)
{
	int i, end;

	note("kind %d", (int)kind);
	for (i = 0; i < 2; i++) {
		bare_prepare(bare, i, kind == PAUSE ? GUEST_CR3 : kind);
		if (kind == PAUSE)
			bare_allow(bare, i, MANY);
	}
	for (end = 0; end < ENDS; end++) {
		one_round(bare, kind, end, ready);
		for (i = 0; i < 2 && kind != PAUSE; i++)
			expect_done(bare, i, kind, end + 1);
		expect(0, bare_state(bare, 0)->wrong);
		expect(0, bare_state(bare, 1)->wrong);
	}
}

int main(void)
{
	volatile int *ready = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct bare bare = { 0 };
	struct tool tool;
	size_t i;

	expect_true(ready != MAP_FAILED);
	qemu_prepare(&bare.qemu);
	bare_start(&bare, "");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(&bare, kinds[i], ready);

	/* The next tool finds all as the first did. */
	tool_listen(&tool, bare.qemu.socket);
	tool_session_again(&tool);
	peer_expect_open(&tool.peer);
	event_expect_none(&tool.peer);
	bare_quit(&bare);
	tool_close(&tool);
	return 0;
}
