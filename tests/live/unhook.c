// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_INTROSPECTION_UNHOOK: succeeds always, ends the session at once, and the
 * VM can be hooked again at once; all under a guest that runs.
 */
#include <errno.h>

#include "../lib/hook.h"
#include "../lib/test.h"

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct vmm_vcpu *vcpu;
	struct peer peer;
	int i;

	hook_require(vm);
	expect(0, __unhook(vm));
	expect(0, __unhook(vm));

	vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_expect_alive(vcpu);
	for (i = 0; i < 20; i++) {
		hook(vm, &peer);
		if (i % 2)
			peer_expect_open(&peer);
		unhook(vm);
		peer_expect_closed(&peer);
		peer_close(&peer);
	}
	cell("ioctl:UNHOOK:ok");
	expect(0, __unhook(vm));
	vmm_expect_alive(vcpu);

	/* A session whose tool is gone before UNHOOK. */
	for (i = 0; i < 20; i++) {
		hook(vm, &peer);
		peer_close(&peer);
		unhook(vm);
	}
	vmm_expect_alive(vcpu);
	hook_expect_usable(vm);
	vmm_destroy(vm);
	return 0;
}
