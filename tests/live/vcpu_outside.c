// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for vCPUs that are not in the guest: outside of KVM_RUN and halted,
 * they are answered; before INIT they get -KVM_EAGAIN. And the judgements that
 * all vCPU messages share.
 */
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

static const struct {
	uint16_t id;
	uint16_t size;		/* of a body of zeros that is right */
	uint16_t reply;
	int error;
} messages[] = {
	{ KVMI_VCPU_GET_INFO, 0, 8, 0 },
	{ KVMI_VCPU_CONTROL_EVENTS, 8, 0, KVM_EINVAL },
	{ KVMI_VCPU_GET_REGISTERS, 8, 472, 0 },
	{ KVMI_VCPU_SET_REGISTERS, 144, 0, KVM_EOPNOTSUPP },
	{ KVMI_VCPU_GET_CPUID, 8, 16, KVM_ENOENT },
	{ KVMI_VCPU_CONTROL_CR, 8, 0, 0 },
	{ KVMI_VCPU_TRANSLATE_GVA, 8, 8, 0 },
	{ KVMI_VCPU_GET_XCR, 8, 8, 0 },
	{ KVMI_VCPU_GET_XSAVE, 0, 4096, 0 },
	{ KVMI_VCPU_SET_XSAVE, 4096, 0, 0 },
	{ KVMI_VCPU_GET_MTRR_TYPE, 8, 8, 0 },
};

#define COUNT (sizeof(messages) / sizeof(messages[0]))

static const uint8_t zero[8 + 4096];

static void expect_answers(struct peer *peer, uint16_t vcpu)
{
	uint8_t reply[4096];
	size_t i;

	for (i = 0; i < COUNT; i++)
		expect(-messages[i].error,
		       __vcpu_command(peer, vcpu, messages[i].id, zero,
				      messages[i].size, reply,
				      messages[i].reply));
}

static void expect_errors(struct peer *peer, uint16_t vcpu, int error)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		vcpu_expect_error(peer, vcpu, messages[i].id, zero,
				  messages[i].size, error);
}

static void test_common(struct vmm *vm, struct peer *peer)
{
	size_t i;

	for (i = 0; i < COUNT; i++)
		peer_expect_padding(peer, messages[i].id, zero,
				    8 + messages[i].size, 2, 8);
	cell("common:vcpu_padding");
	expect_errors(peer, vm->nvcpus, KVM_EINVAL);
	expect_errors(peer, 0xffff, KVM_EINVAL);
	cell("common:vcpu_index");
	expect(0, __hook_command(vm, -1, 0));
	expect_errors(peer, 0, KVM_EPERM);
	expect_errors(peer, 0xffff, KVM_EPERM);
	expect(0, __hook_command(vm, -1, 1));
}

int main(void)
{
	struct kvm_mp_state waiting = {
		.mp_state = KVM_MP_STATE_UNINITIALIZED,
	};
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 3);
	struct vmm_vcpu *ap;
	int i;

	note("never run");
	expect_answers(&peer, 0);
	test_common(vm, &peer);
	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_start(vcpu);
	note("running");
	expect_answers(&peer, 0);
	for (i = 0; i < 4; i++) {
		vmm_vcpu_stop(vcpu);
		expect_answers(&peer, 0);
		vmm_vcpu_start(vcpu);
		expect_answers(&peer, 0);
	}
	vmm_expect_alive(vcpu);
	note("halted");
	vmm_vcpu_run(vm, 1, &guest_halt);
	sleep_ms(20);
	expect_answers(&peer, 1);

	note("before INIT");
	ap = vmm_vcpu_create(vm, 7);
	vmm_vcpu_load(ap, &guest_busy);
	must(ioctl(ap->fd, KVM_SET_MP_STATE, &waiting));
	expect_errors(&peer, 2, KVM_EAGAIN);
	vmm_vcpu_start(ap);
	sleep_ms(20);
	expect_errors(&peer, 2, KVM_EAGAIN);
	expect(0, __vcpu_pause(&peer, 2, 1));
	event_expect_none(&peer);
	cell("common:vcpu_not_ready");
	vmm_vcpu_stop(ap);
	must(ioctl(ap->fd, KVM_SET_MP_STATE, &runnable));
	vmm_vcpu_start(ap);
	{
		struct event event;

		event_receive(&peer, KVMI_VCPU_EVENT_PAUSE, &event);
		expect(2, event.vcpu);
		event_continue(&peer, &event);
	}
	expect_answers(&peer, 2);
	vmm_expect_alive(ap);
	hooked_end(vm, &peer);
	return 0;
}
