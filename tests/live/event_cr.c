// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CR event, for CR0, CR3 and CR4: sent before the write with the old and
 * the new value; the reply's value is written; none when nothing changes or
 * when one of its two switches is off.
 */
#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static uint64_t cr_of(const struct event *event)
{
	switch (event->cr.cr) {
	case 0:
		return event->arch.sregs.cr0;
	case 3:
		return event->arch.sregs.cr3;
	default:
		return event->arch.sregs.cr4;
	}
}

static uint64_t flip(uint64_t cr)
{
	return cr == 0 ? 0x10000 : cr == 3 ? 0x1000 : 0x80;
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t cr,
		    struct event *event)
{
	static const uint8_t zero[7];

	event_receive(peer, KVMI_VCPU_EVENT_CR, event);
	expect(cr, event->cr.cr);
	expect_bytes(zero, event->cr.padding, 7);
	expect(vcpu - vcpu->vm->vcpus, event->vcpu);
	expect(vmm_kind_rip(cr), event->arch.regs.rip);
	expect(8, event->arch.mode);
	expect(cr_of(event), event->cr.old_value);
	expect(event->cr.old_value ^ flip(cr), event->cr.new_value);
	expect(vmm_state(vcpu)->wanted, event->cr.new_value);
}

static void test_cr(uint64_t cr)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile struct guest_state *state;
	uint64_t done = 0, value;
	struct event event;
	int i;

	note("cr%d", (int)cr);
	vmm_vcpu_load_long(vcpu, cr);
	vmm_vcpu_start(vcpu);
	state = vmm_state(vcpu);
	kind_control(&peer, 0, cr, 1);

	/* As the guest wants it. */
	for (i = 0; i < 4; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, cr, &event);
		expect(done, state->executions);
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, ++done);
		expect(event.cr.new_value, state->result);
	}
	/* Blocked. */
	for (i = 0; i < 2; i++) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, cr, &event);
		value = event.cr.old_value;
		event_answer_data(&peer, &event, KVMI_EVENT_ACTION_CONTINUE,
				  &value, 8);
		vmm_wait_executions(vcpu, ++done);
		expect(value, state->result);
	}
	/* Another value: bits that the guest did not ask for. */
	if (cr == 4) {
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, cr, &event);
		value = event.cr.new_value ^ 4;
		event_answer_data(&peer, &event, KVMI_EVENT_ACTION_CONTINUE,
				  &value, 8);
		vmm_wait_executions(vcpu, ++done);
		expect(value, state->result);
	}

	/* Either switch turns it off. */
	vcpu_control_cr(&peer, 0, cr, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	vcpu_control_cr(&peer, 0, cr, 1);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_CR, 0);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);
	/* Those of the other registers do not turn it on. */
	vcpu_control_cr(&peer, 0, cr, 0);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_CR, 1);
	vcpu_control_cr(&peer, 0, cr == 0 ? 3 : 0, 1);
	vcpu_control_cr(&peer, 0, cr == 4 ? 3 : 4, 1);
	vmm_vcpu_allow(vcpu, 2);
	vmm_wait_executions(vcpu, done += 2);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

/* A write of what is there already is no change. */
static void test_equal(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint8_t *xor;

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	/* The guest flips no bit: the constant before the instruction is 0. */
	for (xor = vmm_host(vm, vmm_kind_rip(GUEST_CR3)); xor[0] != 0x48 ||
	     xor[1] != 0x35; xor--)
		;
	xor[3] = 0;
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, GUEST_CR3, 1);
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, 3);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_cr(GUEST_CR0);
	test_cr(GUEST_CR3);
	test_cr(GUEST_CR4);
	cell("event:VCPU_EVENT_CR:sent");
	cell("event:VCPU_EVENT_CR:CONTINUE");
	test_equal();
	return 0;
}
