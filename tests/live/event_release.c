// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session ends while events of both vCPUs are unanswered: the tool goes,
 * also with half a reply written or registers set, or is killed, or the device
 * manager calls UNHOOK. The guest goes on as if there had been no event.
 */
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/event.h"
#include "../lib/test.h"

static const uint64_t kinds[] = { EVENT_KINDS, GUEST_TRAP };

static void goes(struct vmm *vm, struct peer *peer, struct event *events)
{
	(void)vm;
	(void)events;
	peer_close(peer);
}

static void half_reply(struct vmm *vm, struct peer *peer,
		       struct event *events)
{
	struct kvmi_msg_hdr hdr = { KVMI_VCPU_EVENT, 16, events[0].seq };

	(void)vm;
	peer_write(peer, &hdr, sizeof(hdr));
	peer_write(peer, "\0\0\0", 3);
	peer_close(peer);
}

static void with_registers(struct vmm *vm, struct peer *peer,
			   struct event *events)
{
	struct kvm_regs regs = events[1].arch.regs;

	(void)vm;
	regs.r15 = 1;
	regs.rip = 0;
	vcpu_set_registers(peer, 1, &regs);
	peer_close(peer);
}

static void unhooked(struct vmm *vm, struct peer *peer, struct event *events)
{
	(void)events;
	unhook(vm);
	peer_expect_closed(peer);
	peer_close(peer);
}

static void outside(struct vmm *vm, struct peer *peer, struct event *events)
{
	vmm_vcpu_stop(&vm->vcpus[0]);
	vmm_vcpu_stop(&vm->vcpus[1]);
	with_registers(vm, peer, events);
	unhook(vm);
	vmm_vcpu_start(&vm->vcpus[0]);
	vmm_vcpu_start(&vm->vcpus[1]);
}

/* The reply came when nobody ran the vCPU, and its effect is still to come. */
static void answered_outside(struct vmm *vm, struct peer *peer,
			     struct event *events)
{
	vmm_vcpu_stop(&vm->vcpus[0]);
	vmm_vcpu_stop(&vm->vcpus[1]);
	event_continue(peer, &events[0]);
	event_continue(peer, &events[1]);
	peer_expect_open(peer);
	unhook(vm);
	peer_close(peer);
	vmm_vcpu_start(&vm->vcpus[0]);
	vmm_vcpu_start(&vm->vcpus[1]);
}

/* A killed process has its sockets closed, whoever holds the other end. */
static void killed(struct vmm *vm, struct peer *peer, struct event *events)
{
	int pid = must(fork());

	(void)vm;
	(void)events;
	if (!pid)
		for (;;)
			pause();
	peer_close(peer);
	sleep_ms(5);
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));
}

static void (*const ends[])(struct vmm *vm, struct peer *peer,
			    struct event *events) = {
	goes, half_reply, with_registers, unhooked, outside, answered_outside,
	killed,
};

#define ENDS (sizeof(ends) / sizeof(ends[0]))

static void test_kind(uint64_t kind)
{
	struct vmm *vm = vmm_create(NULL);
	uint64_t start, done = 0;
	struct event events[2];
	struct event event;
	struct peer peer;
	size_t i;
	int n;

	note("kind %d", (int)kind);
	hook_require(vm);
	for (n = 0; n < 2; n++) {
		vmm_vcpu_load_long(vmm_vcpu_create(vm, n), kind);
		vmm_vcpu_start_timer(&vm->vcpus[n]);
		vmm_vcpu_start(&vm->vcpus[n]);
	}
	for (i = 0; i < ENDS; i++) {
		hook(vm, &peer);
		hook_allow_all(vm);
		for (n = 0; n < 2; n++) {
			kind_control(&peer, n, kind, 1);
			kind_begin(&peer, &vm->vcpus[n], kind);
		}
		for (n = 0; n < 2; n++) {
			event_receive(&peer, kind_event(kind), &event);
			events[event.vcpu] = event;
		}
		sleep_ms(3);
		expect(done, vmm_state(&vm->vcpus[0])->executions);
		expect(done, vmm_state(&vm->vcpus[1])->executions);
		start = now_ms();
		ends[i](vm, &peer, events);
		done++;
		vmm_wait_executions(&vm->vcpus[0], done);
		vmm_wait_executions(&vm->vcpus[1], done);
		expect_true(now_ms() - start < PROMPT_MS);
		expect(0, vmm_state(&vm->vcpus[1])->marks);
		unhook(vm);
		if (kind == GUEST_TRAP)
			continue;
		/* Without a session there is no event. */
		done++;
		for (n = 0; n < 2; n++) {
			vmm_vcpu_allow(&vm->vcpus[n], 1);
			vmm_wait_executions(&vm->vcpus[n], done);
		}
	}
	hook_expect_usable(vm);
	vmm_destroy(vm);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (vmm_kind_possible(kinds[i]))
			test_kind(kinds[i]);
	return 0;
}
