// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PF event: sent before a restricted page is read, written or executed,
 * with both its addresses; CONTINUE lets this one access happen, RETRY goes on
 * where the vCPU is, and nothing else happens to the page.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define PAGE		0x50000ull
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X

/* One access each, of the page that is in rdi. */
static const struct access {
	const char *name;
	uint8_t access;
	uint8_t rights;		/* to be missing just this one */
	uint8_t size;
	uint8_t code[16];
} accesses[] = {
	{ "load", R, 0, 3, { 0x48, 0x8b, 0x07 } },
	{ "store", W, R | X, 3, { 0x48, 0x89, 0x07 } },
	{ "call", X, R | W, 2, { 0xff, 0xd7 } },
	{ "stos", W, R, 2, { 0x48, 0xab } },
	{ "movdqu", W, R, 4, { 0xf3, 0x0f, 0x7f, 0x07 } },
	{ "add", W, R, 3, { 0x48, 0x01, 0x07 } },
	{ "xchg", W, R, 3, { 0x48, 0x87, 0x07 } },
};

#define RET	0xc3

static void fill(struct vmm_vcpu *vcpu)
{
	memset(vmm_host(vcpu->vm, PAGE), RET, 8192);
}

static struct vmm_vcpu *begin(struct peer *peer, const struct access *access)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_page_code(vm, access->code, access->size);
	vmm_state(vcpu)->target = VMM_ALIAS + PAGE + 0x120;
	vmm_state(vcpu)->value = 0x1122334455667788;
	fill(vcpu);
	vmm_vcpu_start(vcpu);
	return vcpu;
}

static uint64_t word(struct vmm_vcpu *vcpu)
{
	return *(volatile uint64_t *)vmm_host(vcpu->vm, PAGE + 0x120);
}

static void receive(struct vmm_vcpu *vcpu, struct peer *peer,
		    const struct access *access, struct event *event)
{
	uint64_t rip = access->access == X ? VMM_ALIAS + PAGE + 0x120 :
					     vmm_kind_rip(GUEST_PAGE);

	event_receive(peer, KVMI_VCPU_EVENT_PF, event);
	expect(PAGE + 0x120, event->pf.gpa);
	expect(VMM_ALIAS + PAGE + 0x120, event->pf.gva);
	expect(access->access, event->pf.access);
	expect(0, event->pf.padding1);
	expect(0, event->pf.padding2);
	expect(0, event->pf.padding3);
	expect(rip, event->arch.regs.rip);
	expect(vmm_state(vcpu)->attempts - 1, vmm_state(vcpu)->executions);
}

/* Not executed, and executed by CONTINUE, with the page as it was and is. */
static void test_continue(const struct access *access)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, access);
	uint64_t done = 0, before;
	struct event event;
	int i;

	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, ++done);
	fill(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, access->rights));
	for (i = 0; i < 3; i++) {
		before = word(vcpu);
		vmm_vcpu_allow(vcpu, 1);
		receive(vcpu, &peer, access, &event);
		event_expect_none(&peer);
		expect(before, word(vcpu));
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, ++done);
		if (access->access == W && i == 0)
			expect_true(before != word(vcpu));
	}
	/* Its neighbours are not meant, nor is it any more. */
	vmm_state(vcpu)->target = VMM_ALIAS + PAGE + 0x1000;
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, done += 3);
	vmm_state(vcpu)->target = VMM_ALIAS + PAGE + 0x120;
	fill(vcpu);
	expect(0, __vm_set_page_access(&peer, PAGE, R | W | X));
	vmm_vcpu_allow(vcpu, 3);
	vmm_wait_executions(vcpu, done += 3);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

static void test_retry(const struct access *access)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, access);
	uint64_t before = word(vcpu);
	struct event event;
	int i;

	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, access->rights));
	vmm_vcpu_allow(vcpu, 1);
	for (i = 0; i < 3; i++) {
		receive(vcpu, &peer, access, &event);
		event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	}
	receive(vcpu, &peer, access, &event);
	expect(before, word(vcpu));
	expect(0, __vm_set_page_access(&peer, PAGE, R | W | X));
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 1);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

static void test_crash(const struct access *access)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, access);
	uint64_t before = word(vcpu);
	struct event event;

	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, access->rights));
	vmm_vcpu_allow(vcpu, 1);
	receive(vcpu, &peer, access, &event);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_CRASH);
	wait_for(vcpu->exit_reason == KVM_EXIT_SHUTDOWN);
	expect_true(vcpu->run->flags & KVM_RUN_X86_INTROSPECTION_CRASH);
	expect(before, word(vcpu));
	hooked_end(vcpu->vm, &peer);
}

/* The tool goes while its page is restricted, and the vCPU waits for it. */
static void test_gone(const struct access *access)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, access);
	struct event event;

	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, access->rights));
	vmm_vcpu_allow(vcpu, 5);
	receive(vcpu, &peer, access, &event);
	peer_close(&peer);
	vmm_wait_executions(vcpu, 5);
	unhook(vcpu->vm);
	vmm_destroy(vcpu->vm);
}

/* INSB: nothing is read from the device before the tool has agreed. */
static const struct access input = {
	"ins", W, R, 6, { 0xba, GUEST_PORT_REPORT, 0, 0, 0, 0x6c }
};

static void test_input(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, &input);
	uint8_t *byte = (uint8_t *)vmm_host(vcpu->vm, PAGE + 0x120);
	struct kvm_regs regs;
	struct event event;
	int i;

	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, R));
	for (i = 1; i <= 3; i++) {
		*byte = RET;
		vmm_vcpu_allow(vcpu, 1);
		event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
		expect(PAGE + 0x120, event.pf.gpa);
		expect(VMM_ALIAS + PAGE + 0x120, event.pf.gva);
		expect(W, event.pf.access);
		expect(vmm_kind_rip(GUEST_PAGE) + 5, event.arch.regs.rip);
		expect(i - 1, vcpu->reports);
		if (i == 3)
			break;
		event_continue(&peer, &event);
		vmm_wait_executions(vcpu, i);
		expect(i, vcpu->reports);
		expect(0, *(volatile uint8_t *)byte);
	}
	regs = event.arch.regs;
	regs.rip++;
	vcpu_set_registers(&peer, 0, &regs);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 3);
	expect(2, vcpu->reports);
	expect(RET, *(volatile uint8_t *)byte);
	hooked_end(vcpu->vm, &peer);
}

/* PUSH of what a device has: the stack is asked for before the device is. */
static const struct access push = {
	"push", W, R, 12, {
		0x48, 0x89, 0xfc,			/* mov rdi, rsp */
		0xff, 0x36,				/* push (rsi) */
		0x48, 0x8d, 0xa5, 0x00, 0x10, 0, 0,	/* as it was */
	}
};

#define DEVICE	0xd0000000ull

static void test_push(void)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer, &push);
	uint64_t rip = vmm_kind_rip(GUEST_PAGE) + 3;
	struct kvm_regs regs;
	struct event event;
	int i;

	vmm_state(vcpu)->source = DEVICE;
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, R));
	vmm_vcpu_allow(vcpu, 1);
	for (i = 0; i < 3; i++) {
		event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
		expect(PAGE + 0x118, event.pf.gpa);
		expect(VMM_ALIAS + PAGE + 0x118, event.pf.gva);
		expect(W, event.pf.access);
		expect(rip, event.arch.regs.rip);
		expect(0, vcpu->exit_reason);
		if (i < 2)
			event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	}
	regs = event.arch.regs;
	regs.rip += 2;
	vcpu_set_registers(&peer, 0, &regs);
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 1);
	vmm_vcpu_allow(vcpu, 1);
	event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
	expect(0, vcpu->exit_reason);
	event_continue(&peer, &event);
	wait_for(vcpu->exit_reason == KVM_EXIT_MMIO);
	expect(DEVICE, vcpu->run->mmio.phys_addr);
	hooked_end(vcpu->vm, &peer);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		note("%s", accesses[i].name);
		test_continue(&accesses[i]);
		test_retry(&accesses[i]);
		test_crash(&accesses[i]);
		test_gone(&accesses[i]);
	}
	test_input();
	test_push();
	cell("event:VCPU_EVENT_PF:sent");
	cell("event:VCPU_EVENT_PF:CONTINUE");
	cell("event:VCPU_EVENT_PF:RETRY");
	cell("event:VCPU_EVENT_PF:CRASH");
	return 0;
}
