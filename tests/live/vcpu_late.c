// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs made while the VM is hooked, with ids that are not their indexes, run
 * and are left in peace by UNHOOK; so are those that no thread runs, and those
 * that halt.
 */
#include "../lib/hook.h"
#include "../lib/test.h"

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *busy, *late;

	busy = vmm_vcpu_run(vm, 5, &guest_busy);
	vmm_expect_alive(busy);
	vmm_vcpu_run(vm, 0, &guest_halt);
	vmm_vcpu_create(vm, 2);
	peer_expect_open(&peer);

	unhook(vm);
	vmm_expect_alive(busy);
	peer_expect_closed(&peer);
	peer_close(&peer);

	/* Between two sessions, and in the second. */
	late = vmm_vcpu_run(vm, 7, &guest_busy);
	vmm_expect_alive(late);
	hook(vm, &peer);
	hook_allow_all(vm);
	late = vmm_vcpu_run(vm, 1, &guest_busy);
	vmm_expect_alive(late);
	vmm_vcpu_stop(late);
	vmm_vcpu_start(late);
	vmm_expect_alive(late);
	vmm_expect_alive(busy);
	hooked_end(vm, &peer);
	return 0;
}
