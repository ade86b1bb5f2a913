// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM of the small VMM: files, memory slots, life.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"
#include "vmm.h"

static void enable_cap(struct vmm *vm, uint32_t cap, uint64_t arg)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { arg } };

	if (ioctl(vm->fd, KVM_CHECK_EXTENSION, cap) <= 0)
		skip("KVM lacks capability %u", cap);
	must(ioctl(vm->fd, KVM_ENABLE_CAP, &enable));
}

static void irqchip_create(struct vmm *vm)
{
	switch (vm->options.irqchip) {
	case VMM_IRQCHIP_FULL:
		must(ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0));
		break;
	case VMM_IRQCHIP_SPLIT:
		enable_cap(vm, KVM_CAP_SPLIT_IRQCHIP, 24);
		break;
	case VMM_IRQCHIP_NONE:
		break;
	}
}

struct vmm *vmm_create(const struct vmm_options *options)
{
	struct vmm *vm = calloc(1, sizeof(*vm));

	expect_true(vm);
	if (options)
		vm->options = *options;
	if (!vm->options.memory)
		vm->options.memory = VMM_MEMORY;

	vm->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (vm->kvm < 0)
		skip("/dev/kvm: %s", strerror(errno));
	vm->fd = must(ioctl(vm->kvm, KVM_CREATE_VM, 0));
	/* Intel wants these three pages; it must be done before vCPUs exist. */
	must(ioctl(vm->fd, KVM_SET_TSS_ADDR, 0xfffbd000ul));
	if (vm->options.dirty_ring)
		enable_cap(vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
			   vm->options.dirty_ring);
	irqchip_create(vm);
	vmm_slot_add(vm, 0, 0, vm->options.memory, vm->options.flags);
	return vm;
}

void vmm_destroy(struct vmm *vm)
{
	struct vmm_vcpu *vcpu;
	int i;

	for (i = 0; i < vm->nvcpus; i++)
		vmm_vcpu_stop(&vm->vcpus[i]);
	for (i = 0; i < vm->nvcpus; i++) {
		vcpu = &vm->vcpus[i];
		munmap(vcpu->run, ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));
		if (vcpu->ring)
			munmap(vcpu->ring, vm->options.dirty_ring);
		if (vcpu->fd >= 0)
			close(vcpu->fd);
	}
	if (vm->fd >= 0)
		close(vm->fd);
	close(vm->kvm);
	for (i = 0; i < VMM_SLOTS; i++)
		if (vm->slots[i].host)
			munmap(vm->slots[i].host, vm->slots[i].size);
	free(vm);
}

static void slot_set(struct vmm *vm, int slot, uint32_t flags)
{
	struct vmm_slot *s = &vm->slots[slot];
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = s->gpa,
		.memory_size = s->size,
		.userspace_addr = (uintptr_t)s->host,
	};

	must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

uint8_t *vmm_slot_add(struct vmm *vm, int slot, uint64_t gpa, uint64_t size,
		      uint32_t flags)
{
	struct vmm_slot *s = &vm->slots[slot];

	s->gpa = gpa;
	s->size = size;
	s->host = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	expect_true(s->host != MAP_FAILED);
	slot_set(vm, slot, flags);
	return s->host;
}

void vmm_slot_remove(struct vmm *vm, int slot)
{
	struct vmm_slot *s = &vm->slots[slot];
	struct vmm_slot old = *s;

	s->size = 0;
	slot_set(vm, slot, 0);
	munmap(old.host, old.size);
	memset(s, 0, sizeof(*s));
}

void *vmm_host(struct vmm *vm, uint64_t gpa)
{
	struct vmm_slot *s;

	for (s = vm->slots; s < vm->slots + VMM_SLOTS; s++)
		if (s->host && gpa >= s->gpa && gpa - s->gpa < s->size)
			return s->host + (gpa - s->gpa);
	fail("no memory at gpa 0x%llx", (unsigned long long)gpa);
}
