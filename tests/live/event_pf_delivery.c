// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PF event of accesses that deliver an exception, when the tables or the
 * stack are restricted: what CONTINUE lets through is this delivery alone. IRET
 * reads the same tables, and KVM's emulator does not have it.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/hook.h"
#include "../lib/test.h"
#include "../lib/trace.h"

#define PAGE		0x50000ull
#define STACK		(PAGE + 0x800)
#define VECTOR		3
#define R		KVMI_PAGE_ACCESS_R
#define W		KVMI_PAGE_ACCESS_W
#define X		KVMI_PAGE_ACCESS_X

/* mov rdi, rsp; int3; mov rbp + 0x1000, rsp */
static const uint8_t code[] = {
	0x48, 0x89, 0xfc, 0xcc, 0x48, 0x8d, 0xa5, 0x00, 0x10, 0x00, 0x00,
};

#define INT3_AT		3

static const struct table {
	const char *name;
	uint64_t page;
	uint8_t rights;
	uint8_t access;
} tables[] = {
	{ "IDT", GUEST_IDT, 0, R },
	{ "GDT", GUEST_GDT, 0, R },
	{ "stack", PAGE, R, W },
};

static struct vmm_vcpu *begin(struct peer *peer)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_catch(vm);
	vmm_page_code(vm, code, sizeof(code));
	vmm_state(vcpu)->target = STACK;
	vmm_vcpu_start(vcpu);
	vcpu_control_events(peer, 0, KVMI_VCPU_EVENT_PF, 1);
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	expect(1, vmm_state(vcpu)->caught[VECTOR]);

	return vcpu;
}

static uint64_t page_of(uint64_t gpa)
{
	return gpa & ~0xfffull;
}

/* Until the guest has done its round; returns the events at INT3. */
static int answer_all(struct vmm_vcpu *vcpu, struct peer *peer,
		      const struct table *table, uint64_t done)
{
	struct event event;
	int deliveries = 0;

	for (;;) {
		wait_for(event_is_here(peer) ||
			 vmm_state(vcpu)->executions == done);
		if (!event_is_here(peer))
			return deliveries;
		event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
		expect(table->page, page_of(event.pf.gpa));
		expect(table->access, event.pf.access);
		if (event.arch.regs.rip ==
		    vmm_kind_rip(GUEST_PAGE) + INT3_AT) {
			expect(vmm_is_intel() ? event.pf.gpa : ~0ull,
			       event.pf.gva);
			deliveries++;
		}
		event_continue(peer, &event);
	}
}

static void test_continue(const struct table *table)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	int i;

	expect(0, __vm_set_page_access(&peer, table->page, table->rights));
	for (i = 2; i <= 4; i++) {
		vmm_vcpu_allow(vcpu, 1);
		expect_true(answer_all(vcpu, &peer, table, i));
		vmm_wait_executions(vcpu, i);
		expect(i, vmm_state(vcpu)->caught[VECTOR]);
		expect(vmm_kind_rip(GUEST_PAGE) + INT3_AT + 1,
		       vmm_state(vcpu)->rip[VECTOR]);
	}
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* As long as the tool does not agree, nothing of it has happened. */
static void test_retry(const struct table *table)
{
	uint64_t int3 = vmm_kind_rip(GUEST_PAGE) + INT3_AT;
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	uint8_t before[4096];
	struct event event;
	int i;

	memcpy(before, vmm_host(vcpu->vm, PAGE), sizeof(before));
	expect(0, __vm_set_page_access(&peer, table->page, table->rights));
	vmm_vcpu_allow(vcpu, 1);
	for (i = 0; i < 3; i++) {
		event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
		expect(int3, event.arch.regs.rip);
		expect(1, vmm_state(vcpu)->caught[VECTOR]);
		expect_true(!memcmp(before, vmm_host(vcpu->vm, PAGE),
				    sizeof(before)));
		if (i < 2)
			event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	}
	expect(0, __vm_set_page_access(&peer, table->page, R | W | X));
	event_answer(&peer, &event, KVMI_EVENT_ACTION_RETRY);
	vmm_wait_executions(vcpu, 2);
	expect(2, vmm_state(vcpu)->caught[VECTOR]);
	event_expect_none(&peer);
	hooked_end(vcpu->vm, &peer);
}

/* The tool goes in the midst of it. */
static void test_gone(const struct table *table)
{
	struct peer peer;
	struct vmm_vcpu *vcpu = begin(&peer);
	struct event event;

	expect(0, __vm_set_page_access(&peer, table->page, table->rights));
	vmm_vcpu_allow(vcpu, 3);
	event_receive(&peer, KVMI_VCPU_EVENT_PF, &event);
	peer_close(&peer);
	vmm_wait_executions(vcpu, 4);
	expect(4, vmm_state(vcpu)->caught[VECTOR]);
	unhook(vcpu->vm);
	vmm_destroy(vcpu->vm);
}

int main(void)
{
	size_t i;

	step_require();
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		note("%s", tables[i].name);
		test_continue(&tables[i]);
		test_retry(&tables[i]);
		test_gone(&tables[i]);
	}
	return 0;
}
