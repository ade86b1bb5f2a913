// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MSR event: sent before WRMSR with the old and the new value; the reply's
 * value is written; none when nothing changes, for another MSR, for one that
 * cannot be read, or when one of its two switches is off.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

/* KVM lets the guest write some of them itself, which ones the CPU decides. */
static const struct {
	uint32_t msr;
	uint64_t flip;
} msrs[] = {
	{ 0x174, 0x10 },		/* SYSENTER_CS */
	{ 0x176, 0x1000 },		/* SYSENTER_EIP */
	{ 0x277, 2 },			/* PAT: WB or WT */
	{ 0xc0000080, 1 },		/* EFER.SCE */
	{ 0xc0000081, 1ull << 63 },	/* STAR */
	{ 0xc0000082, 0x1000 },		/* LSTAR */
	{ 0xc0000100, 0x1000 },		/* FS.base */
	{ 0xc0000102, 0x1000 },		/* the other GS.base */
};

static struct vmm_vcpu *begin(struct peer *peer, uint32_t msr, uint64_t flip)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_MSR);
	vmm_state(vcpu)->msr = msr;
	vmm_state(vcpu)->flip = flip;
	vmm_vcpu_start(vcpu);
	return vcpu;
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    struct event *event)
{
	volatile struct guest_state *state = vmm_state(vcpu);

	event_receive(peer, KVMI_VCPU_EVENT_MSR, event);
	expect(state->msr, event->msr.msr);
	expect(0, event->msr.padding);
	expect(vmm_kind_rip(GUEST_MSR), event->arch.regs.rip);
	expect(event->msr.old_value ^ state->flip, event->msr.new_value);
	expect(state->wanted, event->msr.new_value);
}

static void reply(struct peer *peer, const struct event *event, uint64_t value)
{
	event_answer_data(peer, event, KVMI_EVENT_ACTION_CONTINUE, &value, 8);
}

static void test_msr(uint32_t msr, uint64_t flip)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, msr, flip);
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t done = 0, value = 0;
	struct event event;
	int i;

	note("msr %#x", msr);
	/* Nobody watches yet. */
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, ++done);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 1);
	vcpu_control_msr(&peer, 0, msr, 1);

	/* As the guest wants it. */
	for (i = 0; i < 3; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		expect(done, state->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, ++done);
		expect(event.msr.new_value, state->result);
		if (i)
			expect(value, event.msr.old_value);
		value = event.msr.new_value;
	}
	/* Blocked. */
	for (i = 0; i < 2; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		reply(&peer, &event, event.msr.old_value);
		vmm_wait_executions(vcpu, ++done);
		expect(event.msr.old_value, state->result);
	}
	/* Another value. */
	if (flip == 0x1000) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		reply(&peer, &event, 0x23456000);
		vmm_wait_executions(vcpu, ++done);
		expect(0x23456000, state->result);
	}

	/* Either switch turns it off; another MSR does not turn it on. */
	vcpu_control_msr(&peer, 0, msr, 0);
	vcpu_control_msr(&peer, 0, msr ^ 3, 1);
	vcpu_control_msr(&peer, 0, msr ^ 0xc0000000, 1);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	expect(state->wanted, state->result);
	vcpu_control_msr(&peer, 0, msr, 1);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);

	/* So does the device manager. */
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 1);
	expect(0, __hook_event(vcpu->vm, KVMI_VCPU_EVENT_MSR, 0));
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	expect(0, __hook_event(vcpu->vm, KVMI_VCPU_EVENT_MSR, 1));
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* A write of what is there already is no change. */
static void test_equal(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, KIND_MSR, 0);

	kind_control(&peer, 0, GUEST_MSR, 1);
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, 3);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* What the MSR cannot hold is the guest's fault, and its handler's. */
static void test_invalid(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, KIND_MSR, 0x1000);
	volatile struct guest_state *state = vmm_state(vcpu);
	struct event event;
	uint64_t old;

	note("invalid");
	kind_control(&peer, 0, GUEST_MSR, 1);
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	old = event.msr.old_value;
	reply(&peer, &event, 1ull << 62);
	wait_for(state->executions == 1);
	expect(1, state->faults);
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	expect(old, event.msr.old_value);
	event_continue(&peer, &event);
	wait_for(state->executions == 2);
	expect(1, state->faults);
	expect(state->wanted, state->result);

	/* The guest's own invalid value: seen, and its fault in the end. */
	state->flip = 1ull << 62;
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, &event);
	event_continue(&peer, &event);
	wait_for(state->executions == 3);
	expect(2, state->faults);
	expect(0, state->wrong);
	hooked_end(vcpu->vm, &peer);
}

/* An MSR that does not exist has no value, no event, and a fault. */
static void test_unreadable(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, 0x1f00, 1);
	volatile struct guest_state *state = vmm_state(vcpu);
	uint8_t *code = vmm_host(vcpu->vm, vmm_kind_rip(GUEST_MSR));

	note("unreadable");
	/* Without the RDMSR before it, which would fault as well. */
	for (; code[0] != 0x0f || code[1] != 0x32; code--)
		;
	code[0] = 0x90;
	code[1] = 0x90;
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 1);
	vcpu_control_msr(&peer, 0, 0x1f00, 1);
	vmm_vcpu_allow(vcpu, 2);
	wait_for(state->executions == 2);
	expect(2, state->faults);
	expect(0, state->wrong);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/*
 * KVM may take this one with interrupts off, where no tool can be asked. Its
 * timer is in another mode here: the MSR stays 0.
 */
static void test_deadline(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, 0x6e0, 0x1000);
	struct event event;
	int i;

	note("deadline");
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 1);
	vcpu_control_msr(&peer, 0, 0x6e0, 1);
	for (i = 1; i < 4; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, &event);
		expect(0, event.msr.old_value);
		expect(i - 1, vmm_state(vcpu)->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, i);
	}
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		test_msr(msrs[i].msr, msrs[i].flip);
	cell("event:VCPU_EVENT_MSR:sent");
	cell("event:VCPU_EVENT_MSR:CONTINUE");
	test_equal();
	test_invalid();
	test_unreadable();
	test_deadline();
	return 0;
}
