// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hardware task switch writes CR3 in the middle of its work: it can be
 * neither given up nor repeated. Its event is waited for whatever signals come,
 * the reply's CR3 counts, and registers that the tool sets do not.
 *
 * lab: timeout=120 short
 */
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../lib/emulator.h"
#include "../lib/event.h"
#include "../lib/task.h"
#include "../lib/test.h"

#define ROUNDS	6
#define KICKS	8

static const uint32_t kinds[] = {
	GUEST_TASK_JMP, GUEST_TASK_CALL, GUEST_TASK_GATE, GUEST_TASK_INT,
};

static struct vmm_vcpu *start(struct vmm *vm, struct peer *peer, uint32_t kind)
{
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	task_load(vcpu, kind);
	if (peer)
		kind_control(peer, 0, GUEST_CR3, 1);
	vmm_vcpu_start(vcpu);
	return vcpu;
}

/* The way there, or back: from directory to directory. */
static void receive(struct peer *peer, int from, int to, struct event *event)
{
	event_receive(peer, KVMI_VCPU_EVENT_CR, event);
	expect(3, event->cr.cr);
	expect(task_directory(from), event->cr.old_value);
	expect(task_directory(to), event->cr.new_value);
	expect(4, event->arch.mode);
}

static void answer_cr3(struct peer *peer, const struct event *event, int to)
{
	uint64_t cr3 = task_directory(to);

	event_answer_data(peer, event, KVMI_EVENT_ACTION_CONTINUE, &cr3,
			  sizeof(cr3));
}

static void wait_back(struct vmm_vcpu *vcpu, uint32_t executions)
{
	volatile struct guest_task_state *state = task_state(vcpu);

	wait_for(state->executions == executions || vcpu->exited ||
		 vcpu->error || vcpu->exit_reason);
	expect(executions, state->executions);
	expect(executions, state->arrivals);
	expect(executions, state->attempts);
	expect(task_directory(0), state->cr3_back);
}

/* Without an event where there ought to be one, this emulator cannot do it. */
static void require_interception(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = start(vm, &peer, GUEST_TASK_JMP);
	volatile struct guest_task_state *state = task_state(vcpu);
	struct pollfd p = { .fd = peer.fd, .events = POLLIN };
	struct kvm_sregs sregs;
	struct task_regs regs;

	task_prepare(vcpu, 0, &regs);
	task_allow(vcpu);
	wait_for(state->arrivals || vcpu->exited || poll(&p, 1, 0) > 0);
	if (poll(&p, 1, 0) == 0 && emulator_is_tcg()) {
		vmm_vcpu_stop(vcpu);
		must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
		expect(GUEST_TASK_SECOND, sregs.tr.selector);
		expect(regs.cr3, sregs.cr3);
		skip("QEMU's emulator switches tasks without asking KVM");
	}
	expect(0, state->arrivals);
	peer_close(&peer);
	wait_back(vcpu, 1);
	vmm_destroy(vm);
}

/* Signals come, registers are set: the switch waits for its reply. */
static void disturb(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct event *event)
{
	volatile struct guest_task_state *state = task_state(vcpu);
	unsigned int interrupted = vcpu->interrupted;
	uint32_t arrivals = state->arrivals;
	struct kvm_regs regs = event->arch.regs;
	int i;

	for (i = 0; i < KICKS; i++) {
		vmm_vcpu_kick(vcpu);
		sleep_ms(5);
	}
	regs.rax = regs.rbx = regs.rsp = 0xbad;
	regs.rip = 0;
	vcpu_set_registers(peer, 0, &regs);
	vmm_vcpu_kick(vcpu);
	event_expect_none(peer);
	expect(interrupted, vcpu->interrupted);
	expect(arrivals, state->arrivals);
}

static void test_kind(uint32_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = start(vm, &peer, kind);
	volatile struct guest_task_state *state = task_state(vcpu);
	unsigned int interrupted;
	struct task_regs regs;
	struct event event;
	uint32_t n;
	int to;

	note("kind %u", kind);
	for (n = 1; n <= ROUNDS; n++) {
		to = 1 + n % 2;
		task_prepare(vcpu, n, &regs);
		task_allow(vcpu);
		receive(&peer, 0, 1, &event);
		interrupted = vcpu->interrupted;
		disturb(vcpu, &peer, &event);
		answer_cr3(&peer, &event, to);
		/* The signal is not lost either. */
		wait_for(vcpu->interrupted > interrupted);
		receive(&peer, to, 0, &event);
		expect(n, state->arrivals);
		expect(task_directory(to), state->cr3);
		task_expect_loaded(vcpu, &regs);
		disturb(vcpu, &peer, &event);
		event_continue(&peer, &event);
		wait_back(vcpu, n);
	}
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* The task's own CR3 counts when the tool goes or the device manager unhooks. */
static void test_end(uint32_t kind, bool unhooked)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = start(vm, &peer, kind);
	struct task_regs regs;
	struct event event;

	note("kind %u, end of the session", kind);
	task_prepare(vcpu, 1, &regs);
	task_allow(vcpu);
	receive(&peer, 0, 1, &event);
	disturb(vcpu, &peer, &event);
	if (unhooked) {
		unhook(vm);
		peer_expect_closed(&peer);
	}
	peer_close(&peer);
	wait_back(vcpu, 1);
	expect(regs.cr3, task_state(vcpu)->cr3);
	task_expect_loaded(vcpu, &regs);
	hook_expect_usable(vm);
	vmm_destroy(vm);
}

/* The crash comes after the switch, of which no half is left out. */
static void test_crash(uint32_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = start(vm, &peer, kind);
	struct kvm_sregs sregs;
	struct task_regs regs;
	struct kvm_regs now;
	struct event event;

	note("kind %u, crash", kind);
	task_prepare(vcpu, 1, &regs);
	task_allow(vcpu);
	receive(&peer, 0, 1, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	wait_for(vcpu->exit_reason || vcpu->error);
	expect(KVM_EXIT_SHUTDOWN, vcpu->exit_reason);
	expect_true(vcpu->run->flags & KVM_RUN_X86_INTROSPECTION_CRASH);
	vmm_vcpu_stop(vcpu);
	must(ioctl(vcpu->fd, KVM_GET_REGS, &now));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	expect(regs.eip, now.rip);
	expect(regs.ebx, now.rbx);
	expect(regs.cr3, sregs.cr3);
	expect(GUEST_TASK_SECOND, sregs.tr.selector);
	expect(0, task_state(vcpu)->arrivals);
	hooked_end(vm, &peer);
}

static void child(int fd, uint32_t kind)
{
	struct vmm *vm = vmm_create(NULL);
	struct task_regs regs;
	struct vmm_vcpu *vcpu;

	expect(0, __hook_fd(vm, fd));
	close(fd);
	hook_allow_all(vm);
	vcpu = start(vm, NULL, kind);
	task_prepare(vcpu, 1, &regs);
	for (;;) {
		sleep_ms(10);
		if (task_state(vcpu)->limit == task_state(vcpu)->executions)
			task_allow(vcpu);
	}
}

/* The child allows all in its own time. */
static void wait_until_allowed(struct peer *peer)
{
	struct kvmi_vm_check_event check = { .id = KVMI_VCPU_EVENT_CR };
	struct kvmi_vcpu_control_events control = {
		.event_id = KVMI_VCPU_EVENT_CR, .enable = 1,
	};

	wait_for(!__peer_command(peer, KVMI_VM_CHECK_EVENT, &check,
				 sizeof(check), NULL, 0));
	wait_for(!__vcpu_command(peer, 0, KVMI_VCPU_CONTROL_EVENTS, &control,
				 sizeof(control), NULL, 0));
}

static void test_killed(uint32_t kind)
{
	struct event event;
	struct peer peer;
	uint64_t begin;
	int fd = peer_open(&peer);
	int pid;

	note("kind %u, killed", kind);
	pid = must(fork());
	if (!pid) {
		peer_close(&peer);
		child(fd, kind);
	}
	close(fd);
	wait_until_allowed(&peer);
	vcpu_control_cr(&peer, 0, 3, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_CR, &event);
	begin = now_ms();
	must(kill(pid, SIGKILL));
	peer_expect_closed(&peer);
	expect(128 + SIGKILL, wait_child(pid));
	expect_true(now_ms() - begin < PROMPT_MS);
	peer_close(&peer);
}

int main(void)
{
	size_t i;

	require_interception();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i] == GUEST_TASK_INT && emulator_is_bochs_svm()) {
			note("no INT here: KVM could not know it");
			continue;
		}
		test_kind(kinds[i]);
		test_end(kinds[i], i % 2);
		test_crash(kinds[i]);
		test_killed(kinds[i]);
	}
	return 0;
}
