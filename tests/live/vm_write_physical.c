// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_WRITE_PHYSICAL: the guest itself sees what was written; its errors, with
 * nothing written; read-only memory stays as it is.
 */
#include <string.h>
#include <sys/mman.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define HIGH	(5ull << 30)

static uint8_t pattern[4096];

static void writes(struct peer *peer, struct vmm *vm, uint64_t gpa,
		   uint16_t size)
{
	uint8_t *page = vmm_host(vm, gpa & ~4095ull);
	uint8_t want[4096];

	memset(page, 0x5a, 4096);
	memset(want, 0x5a, 4096);
	memcpy(want + gpa % 4096, pattern, size);
	expect(0, __peer_put(peer, gpa, pattern, size));
	expect_bytes(want, page, 4096);
}

static void refuses(struct peer *peer, uint64_t gpa, uint16_t size, int error)
{
	struct {
		struct kvmi_vm_write_physical head;
		uint8_t data[5000];
	} body = { .head = { .gpa = gpa, .size = size } };

	peer_expect_error(peer, KVMI_VM_WRITE_PHYSICAL, &body,
			  sizeof(body.head) + size, error);
}

static void test_ok(struct peer *peer, struct vmm *vm)
{
	vmm_slot_add(vm, 1, HIGH, 0x2000, 0);
	writes(peer, vm, 0x10000, 1);
	writes(peer, vm, 0x10000, 4096);
	writes(peer, vm, 0x10fff, 1);
	writes(peer, vm, 0x10001, 4095);
	writes(peer, vm, VMM_MEMORY - 4096, 4096);
	writes(peer, vm, HIGH + 0x1000, 4096);
	writes(peer, vm, HIGH + 0x1ffc, 4);
}

/* Source page and trigger are written by the tool; the guest copies. */
static void test_guest_sees(struct peer *peer, struct vmm *vm)
{
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_copy);
	uint8_t copied[4096];
	uint32_t round;

	for (round = 1; round <= 5; round++) {
		memset(pattern, 0x11 * round, sizeof(pattern));
		pattern[round] = 0;
		expect(0, __peer_put(peer, GUEST_SOURCE, pattern, 4096));
		expect(0, __peer_put(peer, GUEST_TRIGGER, &round,
				     sizeof(round)));
		vmm_wait_report(vcpu, round);
		expect(0, __peer_read(peer, GUEST_TARGET, copied, 4096));
		expect_bytes(pattern, copied, 4096);
	}
	cell("message:VM_WRITE_PHYSICAL:ok");
	vmm_vcpu_stop(vcpu);
}

static void test_einval(struct peer *peer, struct vmm *vm)
{
	struct {
		struct kvmi_vm_write_physical head;
		uint8_t data[16];
	} ok = { .head = { .gpa = 0x11000, .size = 16 } };
	uint8_t *page = vmm_host(vm, 0x11000);
	uint8_t before[8192];

	memset(page, 0xa5, 8192);
	memcpy(before, page, 8192);
	refuses(peer, 0x11000, 0, KVM_EINVAL);
	refuses(peer, 0x11000, 4097, KVM_EINVAL);
	refuses(peer, 0x11fff, 2, KVM_EINVAL);
	refuses(peer, 0x11001, 4096, KVM_EINVAL);
	refuses(peer, ~0ull, 2, KVM_EINVAL);
	peer_expect_padding(peer, KVMI_VM_WRITE_PHYSICAL, &ok, sizeof(ok), 10,
			    16);
	peer_expect_error(peer, KVMI_VM_WRITE_PHYSICAL, NULL, 0, KVM_EINVAL);
	expect_bytes(before, page, 8192);
	cell("message:VM_WRITE_PHYSICAL:EINVAL");
}

static void test_enoent(struct peer *peer, struct vmm *vm)
{
	uint8_t *rom = vmm_slot_add(vm, 2, 6ull << 30, 0x1000,
				    KVM_MEM_READONLY);
	uint8_t *lost = vmm_slot_add(vm, 3, 7ull << 30, 0x1000, 0);
	uint8_t zero[4096] = { 0 };

	refuses(peer, VMM_MEMORY, 1, KVM_ENOENT);
	refuses(peer, HIGH + 0x2000, 4096, KVM_ENOENT);
	refuses(peer, ~0ull, 1, KVM_ENOENT);
	expect(-KVM_ENOENT, __peer_put(peer, 6ull << 30, "x", 1));
	expect_bytes(zero, rom, 4096);
	must(mprotect(lost, 0x1000, PROT_READ));
	expect(-KVM_ENOENT, __peer_put(peer, 7ull << 30, "x", 1));
	must(mprotect(lost, 0x1000, PROT_NONE));
	expect(-KVM_ENOENT, __peer_put(peer, 7ull << 30, "x", 1));
	must(mprotect(lost, 0x1000, PROT_READ | PROT_WRITE));
	expect_bytes(zero, lost, 4096);
	cell("message:VM_WRITE_PHYSICAL:ENOENT");
}

/* What follows the data that size tells is a tail to ignore. */
static void test_longer(struct peer *peer, struct vmm *vm)
{
	struct {
		struct kvmi_vm_write_physical head;
		uint8_t data[64];
	} body = { .head = { .gpa = 0x14000, .size = 16 } };
	uint8_t *page = vmm_host(vm, 0x14000);

	memset(body.data, 0xee, sizeof(body.data));
	peer_command(peer, KVMI_VM_WRITE_PHYSICAL, &body, sizeof(body.head) +
		     sizeof(body.data), NULL, 0);
	expect(0xee, page[15]);
	expect(0, page[16]);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	size_t i;

	for (i = 0; i < sizeof(pattern); i++)
		pattern[i] = i * 13 + 1;
	test_ok(&peer, vm);
	test_guest_sees(&peer, vm);
	test_einval(&peer, vm);
	test_enoent(&peer, vm);
	test_longer(&peer, vm);
	hooked_end(vm, &peer);
	return 0;
}
