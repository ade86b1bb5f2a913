// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM writes for the guest, where the guest has told it to, is not the
 * guest's access: the page can be restricted, there is no event, and it lands.
 * So it is with its walk of the guest's page tables. A limit that the documents
 * tell of, and no aim.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define PAGE		0x60000ull
#define WALL_CLOCK	0x4b564d00
#define SYSTEM_TIME	0x4b564d01
#define STEAL_TIME	0x4b564d03
#define ENTRY		(GUEST_TABLES + 0x4000)	/* of the second GiB */
#define GVA		(1ull << 30)
#define SOURCE		0x61000ull
#define ACCESSED	0x20

/* The guest writes this to the MSR once; before it has been 0. */
static void test_msr(uint32_t msr, uint64_t value)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	uint8_t *page = vmm_host(vm, PAGE);
	int i;

	note("MSR 0x%x", msr);
	vmm_vcpu_load_long(vcpu, GUEST_MSR);
	vmm_state(vcpu)->msr = msr;
	vmm_state(vcpu)->flip = value;
	memset(page, 0xff, 4096);
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_MSR, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, 0));
	vmm_vcpu_allow(vcpu, 1);
	wait_for(vmm_state(vcpu)->executions == 1);
	if (vmm_state(vcpu)->faults) {
		note("this host has none");
		hooked_end(vm, &peer);
		return;
	}
	expect(value, vmm_state(vcpu)->result);
	event_expect_none(&peer);
	for (i = 0; i < 4096 && page[i] == 0xff;)
		i++;
	expect_true(i < 64);
	hooked_end(vm, &peer);
}

/* The page as one of the guest's page tables, which KVM then walks. */
static void test_walk(void)
{
	static const uint8_t load[] = { 0x48, 0x8b, 0x07 };
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	volatile uint64_t *entry = vmm_host(vm, PAGE);

	note("a walk");
	vmm_vcpu_load_long(vcpu, GUEST_PAGE);
	vmm_page_code(vm, load, sizeof(load));
	*(uint64_t *)vmm_host(vm, ENTRY) = PAGE | 3;
	*(uint64_t *)vmm_host(vm, SOURCE) = 4711;
	*entry = SOURCE | 3;
	vmm_state(vcpu)->target = GVA;
	vmm_vcpu_start(vcpu);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, PAGE, 0));
	vmm_vcpu_allow(vcpu, 1);
	vmm_wait_executions(vcpu, 1);
	expect(4711, vmm_state(vcpu)->result);
	event_expect_none(&peer);
	expect(SOURCE | 3 | ACCESSED, *entry);
	hooked_end(vm, &peer);
}

int main(void)
{
	test_msr(WALL_CLOCK, PAGE);
	test_msr(SYSTEM_TIME, PAGE | 1);
	test_msr(STEAL_TIME, PAGE | 1);
	test_walk();
	return 0;
}
