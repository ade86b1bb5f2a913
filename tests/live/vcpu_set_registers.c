// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_SET_REGISTERS: only while the vCPU waits for a reply, and with that; the
 * last command counts.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static void test_kind(uint64_t kind)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct kvmi_vcpu_get_registers_reply now;
	struct kvm_regs regs = { .rip = 1 };
	struct event event;

	note("kind %d", (int)kind);
	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, kind, 1);
	expect(-KVM_EOPNOTSUPP, __vcpu_set_registers(&peer, 0, &regs));
	cell("message:VCPU_SET_REGISTERS:EOPNOTSUPP");

	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	vcpu_expect_error(&peer, 0, KVMI_VCPU_SET_REGISTERS, NULL, 0,
			  KVM_EINVAL);
	vcpu_expect_error(&peer, 0, KVMI_VCPU_SET_REGISTERS, &regs,
			  sizeof(regs) - 1, KVM_EINVAL);
	cell("message:VCPU_SET_REGISTERS:EINVAL");

	regs = event.arch.regs;
	regs.r15 = 5;
	vcpu_set_registers(&peer, 0, &regs);
	/* Not yet. */
	vcpu_get_registers(&peer, 0, &now);
	expect_bytes(&event.arch.regs, &now.regs, sizeof(now.regs));
	regs.r15 = 7;
	regs.r14 = 0x1234567890abcdef;
	regs.rflags |= 1;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	expect(7, vmm_state(vcpu)->marks);
	if (kind == GUEST_INT3)
		expect(1, vmm_state(vcpu)->traps);
	vcpu_get_registers(&peer, 0, &now);
	expect(0x1234567890abcdef, now.regs.r14);
	event_expect_none(&peer);
	cell("message:VCPU_SET_REGISTERS:ok");

	/* Over the instruction, which then has no effect. */
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, kind_event(kind), &event);
	regs = event.arch.regs;
	regs.rip += kind == GUEST_INT3 ? 1 : 3;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 2);
	if (kind == GUEST_INT3)
		expect(1, vmm_state(vcpu)->traps);
	else if (kind == GUEST_HYPERCALL)
		expect(34, vmm_state(vcpu)->result);
	else
		expect(event.cr.old_value, vmm_state(vcpu)->result);
	hooked_end(vm, &peer);
}

/* A pause is answered between two instructions. */
static void test_pause(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct kvmi_vcpu_get_registers_reply now;
	struct kvm_regs regs;
	struct event event;

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	vmm_vcpu_start(vcpu);
	vcpu_pause(&peer, 0);
	event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
	regs = event.arch.regs;
	regs.r13 = 13;
	regs.rip = GUEST_EVENTS;
	vcpu_set_registers(&peer, 0, &regs);
	event_continue(&peer, &event);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	vcpu_get_registers(&peer, 0, &now);
	expect(13, now.regs.r13);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_kind(GUEST_CR0);
	test_kind(GUEST_CR3);
	test_kind(GUEST_CR4);
	test_kind(GUEST_INT3);
	test_kind(GUEST_HYPERCALL);
	test_pause();
	return 0;
}
