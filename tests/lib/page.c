// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest may do with a page.
 */
#include <string.h>

#include "page.h"
#include "test.h"

#define RET	0xc3

static const uint8_t load[] = { 0x48, 0x8b, 0x07 };
static const uint8_t store[] = { 0x48, 0x89, 0x07 };
static const uint8_t call[] = { 0xff, 0xd7 };

/* The guest does what its code is with this address. */
static void touch(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
		  uint64_t gva, uint8_t seen)
{
	volatile uint64_t *word = vmm_host(vcpu->vm, gpa);
	uint64_t done = vmm_state(vcpu)->executions;
	uint64_t before = *word;
	struct event event;

	vmm_state(vcpu)->target = gva;
	vmm_vcpu_allow(vcpu, 1);
	if (seen) {
		event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
		expect(gpa, event.pf.gpa);
		expect(gva, event.pf.gva);
		expect(seen, event.pf.access);
		expect(done, vmm_state(vcpu)->executions);
		expect(before, *word);
		event_continue(peer, &event);
	}
	vmm_wait_executions(vcpu, done + 1);
}

void page_store(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
		bool seen)
{
	volatile uint64_t *word = vmm_host(vcpu->vm, gpa);
	uint64_t before = *word;

	vmm_page_code(vcpu->vm, store, sizeof(store));
	vmm_state(vcpu)->value = before + 1;
	touch(vcpu, peer, gpa, gpa, seen ? KVMI_PAGE_ACCESS_W : 0);
	expect(before + 1, *word);
}

void page_expect_rights(struct vmm_vcpu *vcpu, struct peer *peer, uint64_t gpa,
			uint8_t rights)
{
	uint64_t gva = VMM_ALIAS + gpa;

	memset(vmm_host(vcpu->vm, gpa), RET, 4096);
	vmm_page_code(vcpu->vm, load, sizeof(load));
	touch(vcpu, peer, gpa, gva, ~rights & KVMI_PAGE_ACCESS_R);
	expect(0xc3c3c3c3c3c3c3c3, vmm_state(vcpu)->result);

	vmm_state(vcpu)->value = 0x1122334455667788;
	vmm_page_code(vcpu->vm, store, sizeof(store));
	touch(vcpu, peer, gpa, gva, ~rights & KVMI_PAGE_ACCESS_W);
	expect(0x1122334455667788, *(uint64_t *)vmm_host(vcpu->vm, gpa));

	vmm_page_code(vcpu->vm, call, sizeof(call));
	touch(vcpu, peer, gpa + 8, gva + 8, ~rights & KVMI_PAGE_ACCESS_X);
}
