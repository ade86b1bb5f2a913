// SPDX-License-Identifier: GPL-2.0-only
/*
 * VCPU_GET_CPUID: the leaves that the device manager gave to the guest.
 */
#include <stdlib.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

static int get(struct peer *peer, uint32_t function, uint32_t index,
	       struct kvmi_vcpu_get_cpuid_reply *reply)
{
	struct kvmi_vcpu_get_cpuid get = {
		.function = function,
		.index = index,
	};

	return __vcpu_command(peer, 0, KVMI_VCPU_GET_CPUID, &get, sizeof(get),
			      reply, sizeof(*reply));
}

/* What KVM itself changes while the guest lives. */
static bool is_dynamic(uint32_t function)
{
	return function == 1 || function == 7 || function == 0xd ||
	       function == 0x40000001 || function == 0x80000001;
}

int main(void)
{
	const int room = 256;
	struct kvmi_vcpu_get_cpuid_reply reply;
	struct kvm_cpuid_entry2 *entry;
	struct kvm_cpuid2 *cpuid;
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint32_t i;

	cpuid = calloc(1, sizeof(*cpuid) + room * sizeof(cpuid->entries[0]));
	expect_true(cpuid);
	cpuid->nent = room;
	must(ioctl(vm->kvm, KVM_GET_SUPPORTED_CPUID, cpuid));
	must(ioctl(vcpu->fd, KVM_SET_CPUID2, cpuid));
	vmm_vcpu_load(vcpu, &guest_busy);
	vmm_vcpu_start(vcpu);
	vmm_expect_alive(vcpu);

	for (i = 0; i < cpuid->nent; i++) {
		entry = &cpuid->entries[i];
		expect(0, get(&peer, entry->function, entry->index, &reply));
		if (is_dynamic(entry->function))
			continue;
		expect(entry->eax, reply.eax);
		expect(entry->ebx, reply.ebx);
		expect(entry->ecx, reply.ecx);
		expect(entry->edx, reply.edx);
	}
	expect_true(i > 4);
	cell("message:VCPU_GET_CPUID:ok");
	expect(-KVM_ENOENT, get(&peer, 0x4711, 0, &reply));
	expect(-KVM_ENOENT, get(&peer, 0xffffffff, 0xffffffff, &reply));
	expect(-KVM_ENOENT, get(&peer, 4, 0x1000, &reply));
	cell("message:VCPU_GET_CPUID:ENOENT");
	free(cpuid);
	hooked_end(vm, &peer);
	return 0;
}
