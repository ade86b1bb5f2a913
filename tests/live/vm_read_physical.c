// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_READ_PHYSICAL: any bytes within a page of guest memory, and its errors.
 */
#include <string.h>
#include <sys/mman.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define HIGH	(5ull << 30)

static void fill(uint8_t *bytes, size_t size, uint8_t seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = seed + i + (i >> 8) * 7;
}

static void reads(struct peer *peer, struct vmm *vm, uint64_t gpa,
		  uint16_t size)
{
	uint8_t data[4096];

	memset(data, 0, sizeof(data));
	expect(0, __peer_read(peer, gpa, data, size));
	expect_bytes(vmm_host(vm, gpa), data, size);
}

static void test_ok(struct peer *peer, struct vmm *vm)
{
	fill(vmm_host(vm, 0), VMM_MEMORY, 1);
	fill(vmm_slot_add(vm, 1, HIGH, 0x2000, 0), 0x2000, 2);
	fill(vmm_slot_add(vm, 2, HIGH + 0x2000, 0x1000, KVM_MEM_READONLY),
	     0x1000, 3);

	reads(peer, vm, 0, 1);
	reads(peer, vm, 0, 4096);
	reads(peer, vm, 0x1fff, 1);
	reads(peer, vm, 0x1001, 4095);
	reads(peer, vm, 0x2123, 3);
	reads(peer, vm, VMM_MEMORY - 1, 1);
	reads(peer, vm, VMM_MEMORY - 4096, 4096);
	reads(peer, vm, HIGH + 0x1000, 4096);
	reads(peer, vm, HIGH + 0x2000, 4096);
	cell("message:VM_READ_PHYSICAL:ok");
}

static void test_einval(struct peer *peer)
{
	struct kvmi_vm_read_physical ok = { .gpa = 0x1000, .size = 16 };
	uint8_t data[4096];

	expect(-KVM_EINVAL, __peer_read(peer, 0x1000, data, 0));
	expect(-KVM_EINVAL, __peer_read(peer, 0x1000, data, 4097));
	expect(-KVM_EINVAL, __peer_read(peer, 0x1000, data, 0xffff));
	expect(-KVM_EINVAL, __peer_read(peer, 0x1fff, data, 2));
	expect(-KVM_EINVAL, __peer_read(peer, 0x1001, data, 4096));
	/* Judged before memory is looked for, also at the end of all. */
	expect(-KVM_EINVAL, __peer_read(peer, ~0ull, data, 2));
	peer_expect_padding(peer, KVMI_VM_READ_PHYSICAL, &ok, sizeof(ok), 10,
			    16);
	cell("message:VM_READ_PHYSICAL:EINVAL");
}

static void test_enoent(struct peer *peer, struct vmm *vm)
{
	uint8_t data[4096];
	void *lost;

	expect(-KVM_ENOENT, __peer_read(peer, VMM_MEMORY, data, 1));
	expect(-KVM_ENOENT, __peer_read(peer, HIGH - 4096, data, 4096));
	expect(-KVM_ENOENT, __peer_read(peer, 1ull << 52, data, 8));
	expect(-KVM_ENOENT, __peer_read(peer, ~0ull, data, 1));
	expect(-KVM_ENOENT, __peer_read(peer, ~0ull << 12, data, 4096));

	/* A slot whose memory the VMM took away behind it. */
	lost = vmm_slot_add(vm, 3, 6ull << 30, 0x1000, 0);
	reads(peer, vm, 6ull << 30, 8);
	must(mprotect(lost, 0x1000, PROT_NONE));
	expect(-KVM_ENOENT, __peer_read(peer, 6ull << 30, data, 8));
	must(mprotect(lost, 0x1000, PROT_READ | PROT_WRITE));
	reads(peer, vm, 6ull << 30, 8);
	vmm_slot_remove(vm, 3);
	expect(-KVM_ENOENT, __peer_read(peer, 6ull << 30, data, 8));
	cell("message:VM_READ_PHYSICAL:ENOENT");
}

static void test_lengths(struct peer *peer, struct vmm *vm)
{
	struct kvmi_vm_read_physical read = { .gpa = 0x3000, .size = 16 };
	uint8_t longer[64], data[16];

	memset(longer, 0xff, sizeof(longer));
	memcpy(longer, &read, sizeof(read));
	/* Cut after size: padding reads as zero. */
	peer_command(peer, KVMI_VM_READ_PHYSICAL, &read, 10, data, 16);
	expect_bytes(vmm_host(vm, 0x3000), data, 16);
	peer_command(peer, KVMI_VM_READ_PHYSICAL, longer, sizeof(longer), data,
		     16);
	expect_bytes(vmm_host(vm, 0x3000), data, 16);
	/* Cut inside size, and nothing: size 0. */
	read.size = 0x100;
	peer_expect_error(peer, KVMI_VM_READ_PHYSICAL, &read, 9, KVM_EINVAL);
	peer_expect_error(peer, KVMI_VM_READ_PHYSICAL, NULL, 0, KVM_EINVAL);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);

	test_ok(&peer, vm);
	test_einval(&peer);
	test_enoent(&peer, vm);
	test_lengths(&peer, vm);
	hooked_end(vm, &peer);
	return 0;
}
