// SPDX-License-Identifier: GPL-2.0-only
/*
 * While one vCPU stores by an instruction that KVM has to emulate, another
 * writes to the entry of the page tables that says where. Whatever the emulator
 * has looked at before, nothing lands in the restricted page without an event.
 */
#include <string.h>

#include "../lib/event.h"
#include "../lib/test.h"

ALSO_WITH_SPARE_VCPU;

#define HIGH		(3ull << 30)
#define HUGE_PAGE	(2ull << 20)
#define FREE		HIGH
#define LOCKED		(HIGH + HUGE_PAGE)
#define APIC		0xfee00000ull
#define ENTRY		(GUEST_TABLES + 0x4000)	/* of the second GiB */
#define GVA		(1ull << 30)
#define LAST_PAGE	(HUGE_PAGE - 4096)
#define WORDS		1000
#define MS		5000
#define R		KVMI_PAGE_ACCESS_R
#define X		KVMI_PAGE_ACCESS_X

/* Present, writable, accessed, dirty, huge. */
#define PDE(gpa)	((gpa) | 0xe3)

/*
 * One vCPU stores backwards, first to the APIC and, as KVM is emulating that
 * anyway, by the emulator to the page before it; the other swaps two values of
 * the entry at rdi.
 */
static const uint8_t code[] = {
	0x48, 0x85, 0xf6,	/* test %rsi, %rsi */
	0x75, 0x06,		/* jnz 1f */
	0xfd,			/* std */
	0xf3, 0xab,		/* rep stosl */
	0xfc,			/* cld */
	0xeb, 0x12,		/* jmp 3f */
	0x48, 0x89, 0x07,	/* 1: mov %rax, (%rdi) */
	0xba, 0x32, 0, 0, 0,	/* mov $50, %edx */
	0xff, 0xca,		/* 2: dec %edx */
	0x75, 0xfc,		/* jnz 2b */
	0x48, 0x96,		/* xchg %rax, %rsi */
	0xff, 0xc9,		/* dec %ecx */
	0x75, 0xee,		/* jnz 1b */
};				/* 3: */

static void start(struct vmm *vm)
{
	struct vmm_vcpu *stores = vmm_vcpu_create(vm, 0);
	struct vmm_vcpu *flips = vmm_vcpu_create(vm, 1);
	uint64_t *entry;

	vmm_slot_add(vm, 1, HIGH, 2 * HUGE_PAGE, 0);
	vmm_vcpu_load_long(stores, GUEST_PAGE);
	vmm_vcpu_load_long(flips, GUEST_PAGE);
	vmm_page_code(vm, code, sizeof(code));
	entry = vmm_host(vm, ENTRY);
	entry[0] = PDE(FREE);
	entry[1] = PDE(APIC);
	vmm_state(stores)->target = GVA + HUGE_PAGE;
	vmm_state(stores)->count = 1 + WORDS;
	vmm_state(flips)->target = ENTRY;
	vmm_state(flips)->value = PDE(FREE);
	vmm_state(flips)->source = PDE(LOCKED);
	vmm_state(flips)->count = 1001;
	vmm_vcpu_start(stores);
	vmm_vcpu_start(flips);
}

/* Nothing has landed there. */
static void check(struct vmm *vm)
{
	uint8_t *page = vmm_host(vm, LOCKED + LAST_PAGE);
	int i;

	for (i = 0; i < 4096; i++)
		expect(0xff, page[i]);
}

static void receive(struct vmm *vm, struct peer *peer)
{
	struct event event;

	event_receive(peer, KVMI_VCPU_EVENT_PF, &event);
	check(vm);
	expect_true(event.pf.gva >= GVA + LAST_PAGE &&
		    event.pf.gva < GVA + HUGE_PAGE);
	expect(LOCKED + (event.pf.gva - GVA), event.pf.gpa);
	expect(KVMI_PAGE_ACCESS_W, event.pf.access);
	event_answer(peer, &event, KVMI_EVENT_ACTION_RETRY);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	volatile struct guest_state *stores, *flips;
	uint64_t begin, events = 0;

	start(vm);
	stores = vmm_state(&vm->vcpus[0]);
	flips = vmm_state(&vm->vcpus[1]);
	memset(vmm_host(vm, FREE + LAST_PAGE), 0xff, 4096);
	memset(vmm_host(vm, LOCKED + LAST_PAGE), 0xff, 4096);
	vcpu_control_events(&peer, 0, KVMI_VCPU_EVENT_PF, 1);
	expect(0, __vm_set_page_access(&peer, LOCKED + LAST_PAGE, R | X));
	vmm_vcpu_allow(&vm->vcpus[0], 1ull << 40);
	vmm_vcpu_allow(&vm->vcpus[1], 1ull << 40);

	for (begin = now_ms(); now_ms() - begin < MS; events++)
		receive(vm, &peer);
	note("%llu rounds of stores, %llu events, %llu rounds of changes",
	     (unsigned long long)stores->executions,
	     (unsigned long long)events,
	     (unsigned long long)flips->executions);
	expect(0, *(uint32_t *)vmm_host(vm, FREE + HUGE_PAGE - 4));
	expect_true(stores->executions > 10 && events > 10 &&
		    flips->executions > 10);
	expect(0, stores->wrong + flips->wrong);
	hooked_end(vm, &peer);
	return 0;
}
