// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages that the kernel does not have, those to come among them, are
 * answered -KVM_ENOSYS, allowed or not, and the session goes on.
 */
#include <kvmi/table.h>

#include "../lib/hook.h"
#include "../lib/test.h"

#define ID(NAME, ...) KVMI_##NAME,
static const uint16_t unknown[] = {
	KVMI_MESSAGES_PLANNED(ID)
	KVMI_VM_EVENT, 24, 31, 32, 33, 63, 64, 65, 127, 128, 0x7ffe, 0x7fff,
	0x8000, 0x8001, 0xfffe, 0xffff,
};
#undef ID

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void expect_unknown(struct peer *peer, uint16_t id)
{
	struct kvmi_vm_check_command check = { .id = id };
	uint8_t body[64] = { 0 };

	peer_expect_error(peer, id, NULL, 0, KVM_ENOSYS);
	peer_expect_error(peer, id, body, 8, KVM_ENOSYS);
	peer_expect_error(peer, id, body, sizeof(body), KVM_ENOSYS);
	peer_expect_error(peer, KVMI_VM_CHECK_COMMAND, &check, sizeof(check),
			  KVM_ENOENT);
}

static void expect_all_unknown(struct peer *peer)
{
	size_t i;

	for (i = 0; i < COUNT(unknown); i++)
		expect_unknown(peer, unknown[i]);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct peer peer;

	hook_require(vm);
	vmm_vcpu_run(vm, 0, &guest_busy);
	hook(vm, &peer);
	expect_all_unknown(&peer);
	hook_allow_all(vm);
	expect_all_unknown(&peer);
	cell("common:unknown_id");
	hooked_end(vm, &peer);
	return 0;
}
