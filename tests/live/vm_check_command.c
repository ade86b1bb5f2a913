// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_CHECK_COMMAND: tells for each id what the table says.
 */
#include <kvmi/table.h>
#include <stdbool.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static int check(struct peer *peer, uint16_t id)
{
	struct kvmi_vm_check_command check = { .id = id };

	return __peer_command(peer, KVMI_VM_CHECK_COMMAND, &check,
			      sizeof(check), NULL, 0);
}

static bool is_known(uint16_t id)
{
#define CASE(NAME, ...) case KVMI_##NAME:
	switch (id) {
	KVMI_MESSAGES(CASE)
		return true;
	default:
		return false;
	}
}

static bool is_always(uint16_t id)
{
	return id == KVMI_GET_VERSION || id == KVMI_VM_CHECK_COMMAND ||
	       id == KVMI_VM_CHECK_EVENT;
}

int main(void)
{
	struct kvmi_vm_check_command ok = { .id = KVMI_GET_VERSION };
	const uint16_t far[] = { 100, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct vmm *vm = vmm_create(NULL);
	uint8_t longer[16] = { KVMI_GET_VERSION, [8] = 0xff, [15] = 0xff };
	struct peer peer;
	unsigned int id;

	hook_require(vm);
	hook(vm, &peer);
	for (id = 0; id < 64; id++)
		expect(!is_known(id)  ? -KVM_ENOENT :
		       !is_always(id) ? -KVM_EPERM : 0, check(&peer, id));
	cell("message:VM_CHECK_COMMAND:EPERM");
	hook_allow_all(vm);
	for (id = 0; id < 64; id++)
		expect(is_known(id) ? 0 : -KVM_ENOENT, check(&peer, id));
	cell("message:VM_CHECK_COMMAND:ok");
	for (id = 0; id < 5; id++)
		expect(-KVM_ENOENT, check(&peer, far[id]));
	expect(-KVM_ENOENT, check(&peer, KVMI_VM_EVENT));
	expect(-KVM_ENOENT, check(&peer, KVMI_VCPU_EVENT));
	cell("message:VM_CHECK_COMMAND:ENOENT");

	peer_expect_padding(&peer, KVMI_VM_CHECK_COMMAND, &ok, sizeof(ok), 2,
			    8);
	/* Padding is judged before the id. */
	ok.id = 0xffff;
	peer_expect_padding(&peer, KVMI_VM_CHECK_COMMAND, &ok, sizeof(ok), 2,
			    8);
	cell("message:VM_CHECK_COMMAND:EINVAL");

	/* Shorter: the id alone, and nothing, which is id 0. */
	ok.id = KVMI_GET_VERSION;
	peer_command(&peer, KVMI_VM_CHECK_COMMAND, &ok, 2, NULL, 0);
	peer_expect_error(&peer, KVMI_VM_CHECK_COMMAND, NULL, 0, KVM_ENOENT);
	peer_command(&peer, KVMI_VM_CHECK_COMMAND, longer, sizeof(longer),
		     NULL, 0);
	hooked_end(vm, &peer);
	return 0;
}
