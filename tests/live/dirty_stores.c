// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log has what a watched guest stored, and not what the tool denied:
 * in pages that are free, in restricted ones where KVM's emulator stores for
 * the guest, and where the processor does so in the tool's step view.
 */
#include <string.h>
#include <sys/ioctl.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define PAGES	(VMM_MEMORY >> 12)
#define FREE	0x100000ull
#define CLOSED	0x101000ull
#define R	KVMI_PAGE_ACCESS_R
#define X	KVMI_PAGE_ACCESS_X
#define ALL	(R | X | KVMI_PAGE_ACCESS_W)

/* mov %rax, (%rdi) */
static const uint8_t store[] = { 0x48, 0x89, 0x07 };
/* movhps %xmm0, (%rdi), as long; the emulator does not know it */
static const uint8_t unknown[] = { 0x0f, 0x17, 0x07 };

static uint64_t bits[PAGES / 64];

static bool is_dirty(struct vmm *vm, uint64_t gpa)
{
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bits };

	memset(bits, 0, sizeof(bits));
	must(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
	return bits[gpa / 4096 / 64] >> gpa / 4096 % 64 & 1;
}

/* The processor's log gets to KVM's when the vCPU is left. */
static void expect_dirty(struct vmm *vm, uint64_t gpa)
{
	wait_for(is_dirty(vm, gpa));
	expect_true(!is_dirty(vm, gpa));
}

enum answer { UNSEEN, LET, DENY };

static void deny(struct peer *peer, const struct event *event)
{
	struct kvm_regs regs = event->arch.regs;

	regs.rip += sizeof(store);
	vcpu_set_registers(peer, 0, &regs);
	event_answer(peer, event, KVMI_EVENT_ACTION_RETRY);
}

/* Before it is let nothing is dirty, after it all that it stored to is. */
static void execute(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
		    enum answer answer)
{
	uint64_t done = vmm_state(vcpu)->executions;
	struct event event;

	vmm_state(vcpu)->target = VMM_ALIAS + gpa;
	vmm_vcpu_allow(vcpu, 1);
	if (answer != UNSEEN) {
		event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
		expect(gpa, event.pf.gpa);
		expect(KVMI_PAGE_ACCESS_W, event.pf.access);
		expect_true(!is_dirty(vcpu->vm, gpa));
		if (answer == LET)
			event_continue(peer, &event);
		else
			deny(peer, &event);
	}
	vmm_wait_executions(vcpu, done + 1);
	if (answer == DENY)
		expect_true(!is_dirty(vcpu->vm, gpa));
	else
		expect_dirty(vcpu->vm, gpa);
}

static void test_code(struct vmm_vcpu *vcpu, struct peer *peer,
		      const uint8_t *code)
{
	int i;

	vmm_page_code(vcpu->vm, code, sizeof(store));
	is_dirty(vcpu->vm, FREE);
	for (i = 0; i < 3; i++) {
		execute(vcpu, peer, FREE, UNSEEN);
		execute(vcpu, peer, CLOSED, LET);
		execute(vcpu, peer, CLOSED, DENY);
		/* Also while the other is there. */
		execute(vcpu, peer, CLOSED + 8, LET);
	}
	/* Restricted after a store that nobody has asked for yet. */
	vmm_state(vcpu)->target = VMM_ALIAS + FREE;
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, vmm_state(vcpu)->limit);
	expect(0, __vm_set_page_access(peer, FREE, R | X));
	expect_dirty(vcpu->vm, FREE);
	execute(vcpu, peer, FREE, LET);
	/* What opens a page does not make it dirty; a store then does. */
	expect(0, __vm_set_page_access(peer, FREE, ALL));
	expect_true(!is_dirty(vcpu->vm, FREE));
	execute(vcpu, peer, FREE, UNSEEN);
}

/* What the tool writes, in pages that the guest may not and has mapped. */
static void test_tool(struct vmm_vcpu *vcpu, struct peer *peer)
{
	uint8_t byte = 1;

	expect_true(!is_dirty(vcpu->vm, CLOSED));
	expect(0, __peer_put(peer, CLOSED, &byte, 1));
	expect_dirty(vcpu->vm, CLOSED);
	expect(0, __peer_put(peer, FREE, &byte, 1));
	expect_dirty(vcpu->vm, FREE);
}

int main(void)
{
	struct vmm_options options = { .flags = KVM_MEM_LOG_DIRTY_PAGES };
	struct peer peer;
	struct vmm *vm = hooked_vmm(&options, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, CLOSED, R | X));
	test_code(vcpu, &peer, store);
	if (step_supported(&peer))
		test_code(vcpu, &peer, unknown);
	test_tool(vcpu, &peer);
	event_expect_none(&peer);
	hooked_end(vm, &peer);
	return 0;
}
