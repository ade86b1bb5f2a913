// SPDX-License-Identifier: GPL-2.0-only
/*
 * The small VMM itself, without introspection: what the other tests build on.
 */
#include <string.h>

#include "../lib/test.h"
#include "../lib/vmm.h"

static void test_guests(enum vmm_irqchip irqchip)
{
	struct vmm_options options = { .irqchip = irqchip };
	struct vmm *vm = vmm_create(&options);
	struct vmm_vcpu *busy, *copy;
	uint32_t trigger = 42;

	busy = vmm_vcpu_run(vm, 3, &guest_busy);
	copy = vmm_vcpu_run(vm, 0, &guest_copy);
	vmm_expect_alive(busy);
	vmm_expect_alive(copy);

	memset(vmm_host(vm, GUEST_SOURCE), 0x77, 4096);
	memcpy(vmm_host(vm, GUEST_TRIGGER), &trigger, sizeof(trigger));
	vmm_wait_report(copy, trigger);
	expect_bytes(vmm_host(vm, GUEST_SOURCE), vmm_host(vm, GUEST_TARGET),
		     4096);

	vmm_vcpu_stop(busy);
	vmm_vcpu_start(busy);
	vmm_expect_alive(busy);
	expect(0, busy->error);
	vmm_destroy(vm);
}

static void test_slots(void)
{
	struct vmm *vm = vmm_create(NULL);

	vmm_slot_add(vm, 1, 5ull << 30, 0x2000, 0);
	vmm_slot_add(vm, 2, 6ull << 30, 0x2000, KVM_MEM_READONLY);
	vmm_slot_remove(vm, 1);
	vmm_slot_add(vm, 1, 5ull << 30, 0x1000, KVM_MEM_LOG_DIRTY_PAGES);
	vmm_destroy(vm);
}

int main(void)
{
	test_guests(VMM_IRQCHIP_FULL);
	test_guests(VMM_IRQCHIP_SPLIT);
	test_guests(VMM_IRQCHIP_NONE);
	test_slots();
	return 0;
}
