// SPDX-License-Identifier: GPL-2.0-only
/*
 * The SINGLESTEP event: after each instruction, with what it has done, and
 * after whatever other events it raises; not while it is off.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/hook.h"
#include "../lib/test.h"
#include "../lib/trace.h"

ALSO_WITH_SPARE_VCPU;

#define PAGE		0x50000ull
#define R		KVMI_PAGE_ACCESS_R
#define X		KVMI_PAGE_ACCESS_X

static struct vmm_vcpu *begin(struct peer *peer, uint64_t kind)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, kind);
	return vcpu;
}

/* The vCPU is stepped from where it is. */
static void start(struct vmm_vcpu *vcpu, struct peer *peer)
{
	struct event event;

	vcpu_pause(peer, 0);
	event_receive(peer, KVMI_VCPU_EVENT_PAUSE, &event);
	vcpu_control_singlestep(peer, 0, 1);
	event_continue(peer, &event);
	(void)vcpu;
}

static void receive(struct peer *peer, uint8_t failed, struct event *event)
{
	static const uint8_t zero[7];

	event_receive(peer, KVMI_VCPU_EVENT_SINGLESTEP, event);
	expect(failed, event->singlestep.failed);
	expect_bytes(zero, event->singlestep.padding, sizeof(zero));
}

/* Steps until RIP is here; the event is not answered. */
static void step_to(struct peer *peer, uint64_t rip, struct event *event)
{
	receive(peer, 0, event);
	while (event->arch.regs.rip != rip) {
		event_continue(peer, event);
		receive(peer, 0, event);
	}
}

static void stop(struct peer *peer, const struct event *event)
{
	vcpu_control_singlestep(peer, 0, 0);
	event_continue(peer, event);
}

static void test_continue(void)
{
	/* inc rax; add 2, eax; nop */
	static const uint8_t code[] = { 0x48, 0xff, 0xc0, 0x83, 0xc0, 2, 0x90 };
	static const uint8_t at[] = { 0, 3, 6, 7 };
	static const uint8_t rax[] = { 0, 1, 3, 3 };
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_PAGE);
	uint64_t rip = vmm_kind_rip(GUEST_PAGE);
	struct event event;
	int i;

	vmm_page_code(vcpu->vm, code, sizeof(code));
	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 1);
	step_to(&peer, rip, &event);
	for (i = 0; i < 4; i++) {
		expect(rip + at[i], event.arch.regs.rip);
		expect(rax[i], event.arch.regs.rax);
		expect(0, event.arch.regs.rflags & 0x100);
		expect(0, vmm_state(vcpu)->executions);
		event_expect_none(&peer);
		event_continue(&peer, &event);
		receive(&peer, 0, &event);
	}
	cell("event:VCPU_EVENT_SINGLESTEP:sent");
	cell("event:VCPU_EVENT_SINGLESTEP:CONTINUE");
	stop(&peer, &event);
	vmm_vcpu_allow(vcpu, 5);
	vmm_wait_executions(vcpu, 6);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

static void test_crash(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_NOP);
	struct event event;

	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	receive(&peer, 0, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	wait_for(vcpu->exit_reason == KVM_EXIT_SHUTDOWN);
	expect_true(vcpu->run->flags & KVM_RUN_X86_INTROSPECTION_CRASH);
	cell("event:VCPU_EVENT_SINGLESTEP:CRASH");
	hooked_end(vcpu->vm, &peer);
}

/* The reply moves the vCPU, and it is stepped there. */
static void test_moved(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_PAGE);
	uint64_t rip = vmm_kind_rip(GUEST_PAGE);
	struct event event;
	struct kvm_regs regs;

	vmm_state(vcpu)->target = PAGE;
	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 1);
	step_to(&peer, rip, &event);
	regs = event.arch.regs;
	regs.rip += 3;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	receive(&peer, 0, &event);
	expect(rip + 4, event.arch.regs.rip);
	stop(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(0, *(volatile uint64_t *)vmm_host(vcpu->vm, PAGE));
	hooked_end(vcpu->vm, &peer);
}

/* INT3 that the tool gives up is no step; one that the guest gets is. */
static void test_failed(void)
{
	uint64_t rip = vmm_kind_rip(GUEST_INT3);
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_INT3);
	struct event event;
	int i;

	vmm_catch(vcpu->vm);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_BREAKPOINT, 1);
	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 1);
	step_to(&peer, rip, &event);
	for (i = 0; i < 3; i++) {
		event_continue(&peer, &event);
		event_receive(&peer, KVMI_VCPU_EVENT_BREAKPOINT, &event);
		event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
		receive(&peer, 1, &event);
		expect(rip, event.arch.regs.rip);
		expect(0, vmm_state(vcpu)->caught[3]);
	}
	event_continue(&peer, &event);
	event_receive(&peer, KVMI_VCPU_EVENT_BREAKPOINT, &event);
	event_continue(&peer, &event);
	receive(&peer, 0, &event);
	expect(GUEST_STUBS + 3 * 16, event.arch.regs.rip);
	stop(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(1, vmm_state(vcpu)->caught[3]);
	expect(rip + 1, vmm_state(vcpu)->rip[3]);
	hooked_end(vcpu->vm, &peer);
}

/* First what the instruction raises, then its step. */
static void test_with(uint64_t kind)
{
	uint64_t rip = vmm_kind_rip(kind);
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, kind);
	struct event event;
	int i;

	kind_control(&peer, 0, kind, 1);
	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	for (i = 1; i <= 2; i++) {
		vmm_vcpu_allow(vcpu, 1);
		step_to(&peer, rip, &event);
		event_continue(&peer, &event);
		event_receive(&peer, kind_event(kind), &event);
		expect(rip, event.arch.regs.rip);
		event_continue(&peer, &event);
		receive(&peer, 0, &event);
		expect_true(event.arch.regs.rip != rip);
		event_continue(&peer, &event);
	}
	receive(&peer, 0, &event);
	stop(&peer, &event);
	vmm_wait_executions(vcpu, 2);
	hooked_end(vcpu->vm, &peer);
}

/* Executed by the processor in the step view, and it is one step all the same. */
static void test_unknown(void)
{
	/* fld1; fstp (rdi) */
	static const uint8_t code[] = { 0xd9, 0xe8, 0xdd, 0x1f };
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_PAGE);
	uint64_t rip = vmm_kind_rip(GUEST_PAGE);
	struct event event;

	vmm_page_code(vcpu->vm, code, sizeof(code));
	vmm_state(vcpu)->target = PAGE;
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, R | X));
	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 1);
	step_to(&peer, rip + 2, &event);
	event_continue(&peer, &event);
	event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
	expect(rip + 2, event.arch.regs.rip);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
	expect(0, *(volatile uint64_t *)vmm_host(vcpu->vm, PAGE));
	event_continue(&peer, &event);
	receive(&peer, 0, &event);
	expect(rip + 4, event.arch.regs.rip);
	expect(0x3ff0000000000000,
	       *(volatile uint64_t *)vmm_host(vcpu->vm, PAGE));
	stop(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	hooked_end(vcpu->vm, &peer);
}

/* Interrupts wait, as long as the vCPU is stepped. */
static void test_timer(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_NOP);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	uint64_t ticks;
	int i;

	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	wait_for(state->ticks > 2);
	start(vcpu, &peer);
	receive(&peer, 0, &event);
	ticks = state->ticks;
	for (i = 0; i < 200; i++) {
		event_continue(&peer, &event);
		receive(&peer, 0, &event);
		/* Where it was stopped a handler may just have begun. */
		if (i == 50)
			ticks = state->ticks;
	}
	expect(ticks, state->ticks);
	stop(&peer, &event);
	wait_for(state->ticks > ticks + 2);
	hooked_end(vcpu->vm, &peer);
}

/* Signals come between the steps, and in the midst of them. */
static void test_signal(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_NOP);
	uint64_t rip = vmm_kind_rip(GUEST_NOP);
	struct event event;
	int i;

	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 20);
	for (i = 1; i <= 20; i++) {
		step_to(&peer, rip, &event);
		vmm_vcpu_kick(vcpu);
		event_continue(&peer, &event);
		vmm_vcpu_kick(vcpu);
		receive(&peer, 0, &event);
		expect(rip + 1, event.arch.regs.rip);
		event_continue(&peer, &event);
	}
	receive(&peer, 0, &event);
	stop(&peer, &event);
	vmm_wait_executions(vcpu, 20);
	hooked_end(vcpu->vm, &peer);
}

/* The tool goes, with the event unanswered or between two. */
static void test_gone(int answer)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, GUEST_NOP);
	struct event event;

	vmm_vcpu_start(vcpu);
	start(vcpu, &peer);
	vmm_vcpu_allow(vcpu, 100);
	receive(&peer, 0, &event);
	if (answer)
		event_continue(&peer, &event);
	peer_close(&peer);
	vmm_wait_executions(vcpu, 100);
	unhook(vcpu->vm);
	vmm_vcpu_allow(vcpu, 100);
	vmm_wait_executions(vcpu, 200);
	vmm_destroy(vcpu->vm);
}

int main(void)
{
	static const uint64_t kinds[] = {
		GUEST_CR3, GUEST_MSR, GUEST_HYPERCALL, GUEST_SIDT, GUEST_PAGE,
	};
	size_t i;

	step_require();
	test_continue();
	test_crash();
	test_moved();
	test_failed();
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		note("kind %llu", (unsigned long long)kinds[i]);
		test_with(kinds[i]);
	}
	test_unknown();
	test_timer();
	test_signal();
	test_gone(0);
	test_gone(1);
	return 0;
}
