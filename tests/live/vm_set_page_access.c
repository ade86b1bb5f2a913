// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_SET_PAGE_ACCESS: each entry counts by itself, in any order; what the
 * processor cannot do is refused; rights stay with the page when its memory
 * slot goes and comes, dirty pages are logged, or memory is taken away.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "../lib/page.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define HIGH	(3ull << 30)
#define SIZE	0x600000ull
#define MOST	511
#define R	KVMI_PAGE_ACCESS_R
#define W	KVMI_PAGE_ACCESS_W
#define X	KVMI_PAGE_ACCESS_X
#define ALL	(R | W | X)

struct command {
	struct kvmi_vm_set_page_access head;
	struct kvmi_page_access_entry entries[MOST];
};

static struct kvmi_page_access_entry entry(uint64_t gpa, uint8_t access)
{
	return (struct kvmi_page_access_entry){ .gpa = gpa, .access = access };
}

static int set(struct peer *peer, const struct command *command)
{
	return __peer_command(peer, KVMI_VM_SET_PAGE_ACCESS, command,
			      sizeof(command->head) + command->head.count *
			      sizeof(command->entries[0]), NULL, 0);
}

static struct vmm_vcpu *begin(struct peer *peer)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_slot_add(vm, 1, HIGH, SIZE, 0);
	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	return vcpu;
}

/* Last page first, each twice; and once with some that are refused. */
static void test_many(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	struct command command = { .head = { .count = MOST } };
	int i;

	for (i = 0; i < MOST; i++)
		page_store(vcpu, &peer, HIGH + 0x1000 * i, false);
	for (i = 0; i < MOST; i++) {
		command.entries[i].gpa = HIGH + 0x1000 * (MOST - 1 - i) + 0x123;
		command.entries[i].access = R | X;
	}
	expect(0, set(&peer, &command));
	for (i = 0; i < MOST; i++)
		page_store(vcpu, &peer, HIGH + 0x1000 * i, true);
	page_store(vcpu, &peer, HIGH + 0x1000 * MOST, false);

	for (i = 0; i < MOST; i++) {
		command.entries[i].access = ALL;
		if (i == 100)
			command.entries[i].access = W;
		if (i == 200)
			command.entries[i].gpa = HIGH - 0x1000;
	}
	expect(-KVM_EINVAL, set(&peer, &command));
	for (i = 0; i < MOST; i++)
		page_store(vcpu, &peer, HIGH + 0x1000 * (MOST - 1 - i),
			   i == 100 || i == 200);

	/* The later entry for one page counts. */
	command.head.count = 2;
	command.entries[0] = entry(HIGH, R);
	command.entries[1] = entry(HIGH, ALL);
	expect(0, set(&peer, &command));
	page_store(vcpu, &peer, HIGH, false);
	command.head.count = 0;
	expect(0, set(&peer, &command));
	cell("message:VM_SET_PAGE_ACCESS:ok");
	hooked_end(vcpu->vm, &peer);
}

static void test_einval(void)
{
	static const uint8_t refused[] = { W, W | X, 8, 0x80 | R, 0xff };
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	struct command command = { .head = { .count = 1 } };
	size_t i;

	for (i = 0; i < sizeof(refused); i++)
		expect(-KVM_EINVAL, __vm_set_page_access(&peer, HIGH,
							 refused[i]));
	expect(-KVM_EINVAL, __vm_set_page_access(&peer, HIGH + SIZE, R));
	expect(-KVM_EINVAL, __vm_set_page_access(&peer, ~0ull, R));
	command.entries[0] = entry(HIGH, R);
	peer_expect_padding(&peer, KVMI_VM_SET_PAGE_ACCESS, &command,
			    sizeof(command.head) + sizeof(command.entries[0]),
			    2, 8);
	peer_expect_padding(&peer, KVMI_VM_SET_PAGE_ACCESS, &command,
			    sizeof(command.head) + sizeof(command.entries[0]),
			    17, 24);
	page_store(vcpu, &peer, HIGH, false);
	cell("message:VM_SET_PAGE_ACCESS:EINVAL");
	hooked_end(vcpu->vm, &peer);
}

static void set_flags(struct vmm *vm, uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .flags = flags, .guest_phys_addr = HIGH,
		.memory_size = SIZE,
		.userspace_addr = (uintptr_t)vmm_host(vm, HIGH),
	};

	must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
}

/* Whatever makes KVM forget or change its translations. */
static void test_memory(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	struct vmm *vm = vcpu->vm;
	int i;

	expect(0, __vm_set_page_access(&peer, HIGH + 0x1000, R | X));
	for (i = 0; i < 3; i++) {
		set_flags(vm, KVM_MEM_LOG_DIRTY_PAGES);
		page_store(vcpu, &peer, HIGH, false);
		page_store(vcpu, &peer, HIGH + 0x1000, true);
		set_flags(vm, 0);
		page_store(vcpu, &peer, HIGH, false);
		page_store(vcpu, &peer, HIGH + 0x1000, true);
	}
	must(madvise(vmm_host(vm, HIGH), SIZE, MADV_REMOVE));
	page_store(vcpu, &peer, HIGH + 0x1000, true);
	page_store(vcpu, &peer, HIGH, false);
	vmm_slot_remove(vm, 1);
	vmm_slot_add(vm, 1, HIGH, SIZE, 0);
	page_store(vcpu, &peer, HIGH + 0x1000, true);
	page_store(vcpu, &peer, HIGH, false);
	page_store(vcpu, &peer, HIGH + 0x1000, true);
	hooked_end(vm, &peer);
}

/* A new session restricts nothing. */
static void test_again(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);

	expect(0, __vm_set_page_access(&peer, HIGH, R));
	page_store(vcpu, &peer, HIGH, true);
	unhook(vcpu->vm);
	peer_close(&peer);
	page_store(vcpu, &peer, HIGH, false);
	hook(vcpu->vm, &peer);
	hook_allow_all(vcpu->vm);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	page_store(vcpu, &peer, HIGH, false);
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	test_many();
	test_einval();
	test_memory();
	test_again();
	return 0;
}
