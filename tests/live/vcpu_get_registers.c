// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_REGISTERS: the same as KVM's ioctls tell, as many MSRs as fit.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define MOST		481
#define MSR_EFER	0xc0000080
#define MSR_LSTAR	0xc0000082
#define MSR_SYSENTER	0x174
#define MSR_NONE	0x40000fff

static struct {
	struct kvmi_vcpu_get_registers get;
	uint32_t index[MOST + 1];
} request;
static uint8_t bytes[KVMI_MSG_SIZE];
static struct kvmi_vcpu_get_registers_reply *const reply = (void *)bytes;

/* Says n MSRs and has the indexes of listed ones. */
static int get(struct peer *peer, unsigned int n, unsigned int listed)
{
	request.get.nmsrs = n;
	return __vcpu_command(peer, 0, KVMI_VCPU_GET_REGISTERS, &request,
			      sizeof(request.get) + 4 * listed, bytes,
			      sizeof(*reply) + n * sizeof(reply->msrs[0]));
}

static uint64_t msr_of(struct vmm_vcpu *vcpu, uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = { .head = { .nmsrs = 1 }, .entry = { .index = index } };

	expect(1, must(ioctl(vcpu->fd, KVM_GET_MSRS, &msrs)));
	return msrs.entry.data;
}

static void compare(struct vmm_vcpu *vcpu, unsigned int n)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	unsigned int i;

	must(ioctl(vcpu->fd, KVM_GET_REGS, &regs));
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	expect_bytes(&regs, &reply->regs, sizeof(regs));
	expect_bytes(&sregs, &reply->sregs, sizeof(sregs));
	expect(0, reply->padding);
	expect(n, reply->nmsrs);
	expect(0, reply->msrs_padding);
	for (i = 0; i < n; i++) {
		expect(request.index[i], reply->msrs[i].index);
		expect(0, reply->msrs[i].reserved);
		expect(msr_of(vcpu, request.index[i]), reply->msrs[i].data);
	}
}

/* The vCPU rests in its event, so what the ioctls tell later is the same. */
static void test_running(struct vmm_vcpu *vcpu, struct peer *peer)
{
	struct kvmi_vcpu_get_registers_reply at_event;
	struct event event;

	kind_control(peer, 0, GUEST_CR3, 1);
	vmm_vcpu_start(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(peer, KVMI_VCPU_EVENT_CR, &event);
	expect(0, get(peer, 3, 3));
	at_event = *reply;
	expect(8, reply->mode);
	expect_bytes(&event.arch.regs, &reply->regs, sizeof(reply->regs));
	expect_bytes(&event.arch.sregs, &reply->sregs, sizeof(reply->sregs));
	expect(event.arch.msrs.efer, reply->msrs[0].data);
	expect(event.arch.msrs.lstar, reply->msrs[1].data);
	expect(event.arch.msrs.sysenter_cs, reply->msrs[2].data);
	vmm_vcpu_stop(vcpu);
	compare(vcpu, 3);
	expect(0, get(peer, 3, 3));
	compare(vcpu, 3);
	expect_bytes(&at_event.regs, &reply->regs, sizeof(reply->regs));
	vmm_vcpu_start(vcpu);
	event_continue(peer, &event);
	vmm_wait_executions(vcpu, 1);
	vcpu_get_registers(peer, 0, reply);
	expect(GUEST_STATE, reply->regs.rbp);
	cell("message:VCPU_GET_REGISTERS:ok");
}

static void test_limits(struct peer *peer)
{
	struct kvmi_vcpu_get_registers ok = { .nmsrs = 0 };
	unsigned int i;

	for (i = 0; i < MOST + 1; i++)
		request.index[i] = MSR_EFER;
	for (i = 0; i <= MOST; i += i < 4 ? 1 : 53) {
		expect(0, get(peer, i, MOST + 1));
		expect(i, reply->nmsrs);
	}
	expect(0, get(peer, MOST, MOST));
	expect(MSR_EFER, reply->msrs[MOST - 1].index);
	expect(-KVM_EINVAL, get(peer, MOST + 1, MOST + 1));
	expect(-KVM_EINVAL, get(peer, 0xffff, MOST + 1));
	expect(-KVM_EINVAL, get(peer, 3, 2));
	expect(-KVM_EINVAL, get(peer, 1, 0));
	request.index[2] = MSR_NONE;
	expect(-KVM_EINVAL, get(peer, 3, 3));
	expect(0, get(peer, 2, 3));
	request.index[2] = MSR_EFER;
	vcpu_expect_padding(peer, KVMI_VCPU_GET_REGISTERS, &ok, sizeof(ok), 2,
			    8);
	cell("message:VCPU_GET_REGISTERS:EINVAL");
	vcpu_command(peer, 0, KVMI_VCPU_GET_REGISTERS, NULL, 0, reply,
		     sizeof(*reply));
}

static void test_modes(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct kvm_sregs sregs;
	struct vmm_vcpu *vcpu;

	vmm_vcpu_run(vm, 0, &guest_halt);
	vcpu_get_registers(&peer, 0, reply);
	expect(2, reply->mode);
	vcpu = vmm_vcpu_create(vm, 1);
	vmm_vcpu_load(vcpu, &guest_halt);
	must(ioctl(vcpu->fd, KVM_GET_SREGS, &sregs));
	sregs.cs.db = 1;
	sregs.cs.type = 11;
	sregs.cr0 |= 1;
	must(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
	vcpu_get_registers(&peer, vcpu - vm->vcpus, reply);
	expect(4, reply->mode);
	hooked_end(vm, &peer);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	request.index[0] = MSR_EFER;
	request.index[1] = MSR_LSTAR;
	request.index[2] = MSR_SYSENTER;
	test_running(vcpu, &peer);
	test_limits(&peer);
	hooked_end(vm, &peer);
	test_modes();
	return 0;
}
