// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whatever makes KVM map a page once more, or makes a mapping writable, gives
 * the guest no more than the tool has left it: with dirty logging, faults ahead
 * of time, memory that the host takes away, shares or protects, and slots that
 * go, move and come.
 *
 * lab: short
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/page.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define HIGH		(3ull << 30)
#define ELSEWHERE	(HIGH + (16ull << 20))
#define SIZE		0x400000ull
#define STORED		(HIGH + 0x1000)	/* may be read and executed */
#define HIDDEN		(HIGH + 0x2000)	/* nothing */
#define PLAIN		(HIGH + 0x3000)
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X

#ifndef KVM_PRE_FAULT_MEMORY
struct kvm_pre_fault_memory {
	__u64 gpa;
	__u64 size;
	__u64 flags;
	__u64 padding[5];
};
#define KVM_PRE_FAULT_MEMORY	_IOWR(KVMIO, 0xd5, struct kvm_pre_fault_memory)
#endif

static void set_slot(struct vmm *vm, uint64_t gpa, uint64_t size,
		     uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = 1, .flags = flags, .guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)vm->slots[1].host,
	};

	must(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region));
	vm->slots[1].gpa = gpa;
}

/* Memory of this process's own, which the slots of the harness are not. */
static struct vmm_vcpu *begin(struct peer *peer, uint32_t flags)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct vmm_slot *slot = &vm->slots[1];

	slot->host = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect_true(slot->host != MAP_FAILED);
	slot->size = SIZE;
	set_slot(vm, HIGH, SIZE, flags);
	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	return vcpu;
}

static void restrict_pages(struct peer *peer)
{
	expect(0, __vm_set_page_access(peer, STORED, R | X));
	expect(0, __vm_set_page_access(peer, HIDDEN, 0));
}

static void check(struct vmm_vcpu *vcpu, struct peer *peer)
{
	page_expect_rights(vcpu, peer, STORED, R | X);
	page_expect_rights(vcpu, peer, HIDDEN, 0);
	page_expect_rights(vcpu, peer, PLAIN, PAGE_ALL);
}

static void dirty(struct vmm_vcpu *vcpu)
{
	static uint64_t bits[SIZE / 4096 / 64];
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	must(ioctl(vcpu->vm->fd, KVM_GET_DIRTY_LOG, &log));
}

/* Write-protects what was written, to be made writable by a fast fault. */
static void log_and_clear(struct vmm_vcpu *vcpu)
{
	set_slot(vcpu->vm, HIGH, SIZE, KVM_MEM_LOG_DIRTY_PAGES);
	dirty(vcpu);
}

static void clear(struct vmm_vcpu *vcpu)
{
	dirty(vcpu);
}

static void log_no_more(struct vmm_vcpu *vcpu)
{
	set_slot(vcpu->vm, HIGH, SIZE, 0);
}

static void pre_fault(struct vmm_vcpu *vcpu)
{
	struct kvm_pre_fault_memory range = { .gpa = HIGH, .size = SIZE };

	vmm_vcpu_stop(vcpu);
	while (range.size)
		must(ioctl(vcpu->fd, KVM_PRE_FAULT_MEMORY, &range));
	vmm_vcpu_start(vcpu);
}

/* As for a balloon. */
static void take_away(struct vmm_vcpu *vcpu)
{
	must(madvise(vmm_host(vcpu->vm, HIGH), SIZE, MADV_DONTNEED));
}

static void take_away_and_pre_fault(struct vmm_vcpu *vcpu)
{
	take_away(vcpu);
	pre_fault(vcpu);
}

/* Every page is shared with the child until it is written to. */
static void share(struct vmm_vcpu *vcpu)
{
	int pid = must(fork());

	if (!pid)
		_exit(0);
	expect(pid, must(waitpid(pid, NULL, 0)));
	(void)vcpu;
}

static void protect(struct vmm_vcpu *vcpu)
{
	void *host = vmm_host(vcpu->vm, HIGH);

	must(mprotect(host, SIZE, PROT_READ));
	pre_fault(vcpu);
	must(mprotect(host, SIZE, PROT_READ | PROT_WRITE));
}

static void go_and_come(struct vmm_vcpu *vcpu)
{
	set_slot(vcpu->vm, HIGH, 0, 0);
	set_slot(vcpu->vm, HIGH, SIZE, 0);
}

static void move(struct vmm_vcpu *vcpu)
{
	set_slot(vcpu->vm, ELSEWHERE, SIZE, 0);
}

static void move_back(struct vmm_vcpu *vcpu)
{
	set_slot(vcpu->vm, HIGH, SIZE, 0);
}

#define WAY(name) { #name, name }

static const struct way {
	const char *name;
	void (*go)(struct vmm_vcpu *vcpu);
} ways[] = {
	WAY(log_and_clear), WAY(clear), WAY(log_no_more), WAY(pre_fault),
	WAY(take_away), WAY(take_away_and_pre_fault), WAY(share),
	WAY(protect), WAY(go_and_come),
};

static void test_ways(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, 0);
	size_t i;

	page_expect_rights(vcpu, &peer, STORED, PAGE_ALL);
	page_expect_rights(vcpu, &peer, HIDDEN, PAGE_ALL);
	restrict_pages(&peer);
	check(vcpu, &peer);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		note("%s", ways[i].name);
		ways[i].go(vcpu);
		check(vcpu, &peer);
	}
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* The rights are the address's: memory that comes there gets them. */
static void test_move(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, 0);
	int i;

	note("move");
	restrict_pages(&peer);
	check(vcpu, &peer);
	for (i = 0; i < 3; i++) {
		move(vcpu);
		page_expect_rights(vcpu, &peer, ELSEWHERE + 0x1000, PAGE_ALL);
		page_expect_rights(vcpu, &peer, ELSEWHERE + 0x2000, PAGE_ALL);
		move_back(vcpu);
		check(vcpu, &peer);
	}
	hooked_end(vcpu->vm, &peer);
}

/* What is not written at all, as user space has to know, is told before. */
static void test_read_only(void)
{
	static const uint8_t store[] = { 0x48, 0x89, 0x07 };
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, KVM_MEM_READONLY);
	volatile uint64_t *word = vmm_host(vcpu->vm, STORED);
	struct event event;

	note("read only");
	restrict_pages(&peer);
	*word = 4711;
	vmm_page_code(vcpu->vm, store, sizeof(store));
	vmm_state(vcpu)->target = VMM_ALIAS + STORED;
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
	expect(STORED, event.pf.gpa);
	expect(VMM_ALIAS + STORED, event.pf.gva);
	expect(W, event.pf.access);
	event_continue(&peer, &event);
	wait_for(vcpu->exit_reason);
	expect(KVM_EXIT_MMIO, vcpu->exit_reason);
	expect(STORED, vcpu->run->mmio.phys_addr);
	expect(4711, *word);
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	test_ways();
	test_move();
	test_read_only();
	return 0;
}
