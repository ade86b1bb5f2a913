// SPDX-License-Identifier: GPL-2.0-only
/*
 * A huge page is mapped as one, in pieces while something inside is restricted,
 * and as one again when the last restriction goes, or the session.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../lib/page.h"
#include "../lib/test.h"
#include "../lib/trace.h"

#define HIGH	(3ull << 30)
#define HUGE_PAGE	(2ull << 20)
#define R	KVMI_PAGE_ACCESS_R
#define ALL	7

static uint64_t mapped_huge(struct vmm *vm)
{
	char path[256];

	counters_find(vm, path, sizeof(path));
	strcat(path, "/..");
	return counter_read(path, "pages_2m");
}

/* Two huge pages of the host's, or none if the host has none to give. */
static void add_huge(struct vmm *vm)
{
	struct vmm_slot *slot = &vm->slots[1];
	uint8_t *all = mmap(NULL, 3 * HUGE_PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.slot = 1, .guest_phys_addr = HIGH,
		.memory_size = 2 * HUGE_PAGE,
	};

	expect_true(all != MAP_FAILED);
	slot->host = (uint8_t *)(((uintptr_t)all + HUGE_PAGE - 1) &
				 -HUGE_PAGE);
	slot->gpa = HIGH;
	slot->size = 2 * HUGE_PAGE;
	region.userspace_addr = (uintptr_t)slot->host;
	must(madvise(slot->host, slot->size, MADV_HUGEPAGE));
	memset(slot->host, 0, slot->size);
	must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

static void test_pieces(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t all)
{
	struct vmm *vm = vcpu->vm;

	expect(0, __vm_set_page_access(peer, HIGH + 0x5000, R));
	expect(0, __vm_set_page_access(peer, HIGH + 0x9000, R));
	page_store(vcpu, peer, HIGH + 0x4000, false);
	page_store(vcpu, peer, HIGH + 0x5000, true);
	page_store(vcpu, peer, HIGH + 0x9000, true);
	page_store(vcpu, peer, HIGH + HUGE_PAGE, false);
	expect(all - 1, mapped_huge(vm));

	expect(0, __vm_set_page_access(peer, HIGH + 0x5000, ALL));
	page_store(vcpu, peer, HIGH + 0x5000, false);
	page_store(vcpu, peer, HIGH + 0x9000, true);
	expect(all - 1, mapped_huge(vm));

	expect(0, __vm_set_page_access(peer, HIGH + 0x9000, ALL));
	page_store(vcpu, peer, HIGH + 0x9000, false);
	page_store(vcpu, peer, HIGH + 0x5000, false);
	expect(all, mapped_huge(vm));
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint64_t before, all;

	add_huge(vm);
	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	before = mapped_huge(vm);
	page_store(vcpu, &peer, HIGH, false);
	page_store(vcpu, &peer, HIGH + HUGE_PAGE, false);
	all = mapped_huge(vm);
	if (all - before != 2)
		skip("the host has no huge pages to give");

	test_pieces(vcpu, &peer, all);
	test_pieces(vcpu, &peer, all);
	expect(0, __vm_set_page_access(&peer, HIGH, R));
	page_store(vcpu, &peer, HIGH, true);
	page_store(vcpu, &peer, HIGH + 0x1000, false);
	expect(all - 1, mapped_huge(vm));
	unhook(vm);
	peer_close(&peer);
	page_store(vcpu, &peer, HIGH, false);
	expect(all, mapped_huge(vm));
	vmm_destroy(vm);
	return 0;
}
