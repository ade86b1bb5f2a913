// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM_CHECK_EVENT: tells for each id what the table says.
 */
#include <kvmi/table.h>
#include <stdbool.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static int check(struct peer *peer, uint16_t id)
{
	struct kvmi_vm_check_event check = { .id = id };

	return __peer_command(peer, KVMI_VM_CHECK_EVENT, &check, sizeof(check),
			      NULL, 0);
}

static bool is_known(uint16_t id)
{
#define CASE(NAME, ...) case KVMI_##NAME:
	switch (id) {
	KVMI_EVENTS(CASE)
		return true;
	default:
		return false;
	}
}

int main(void)
{
	struct kvmi_vm_check_event ok = { .id = KVMI_VM_EVENT_UNHOOK };
	const uint16_t far[] = { 100, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct vmm *vm = vmm_create(NULL);
	uint8_t longer[16] = { KVMI_VM_EVENT_UNHOOK, [8] = 0xff };
	struct peer peer;
	unsigned int id;

	hook_require(vm);
	hook(vm, &peer);
	for (id = 0; id < 64; id++)
		expect(is_known(id) ? -KVM_EPERM : -KVM_ENOENT,
		       check(&peer, id));
	cell("message:VM_CHECK_EVENT:EPERM");
	hook_allow_all(vm);
	for (id = 0; id < 64; id++)
		expect(is_known(id) ? 0 : -KVM_ENOENT, check(&peer, id));
	cell("message:VM_CHECK_EVENT:ok");
	for (id = 0; id < 5; id++)
		expect(-KVM_ENOENT, check(&peer, far[id]));
	cell("message:VM_CHECK_EVENT:ENOENT");

	peer_expect_padding(&peer, KVMI_VM_CHECK_EVENT, &ok, sizeof(ok), 2, 8);
	ok.id = 0xffff;
	peer_expect_padding(&peer, KVMI_VM_CHECK_EVENT, &ok, sizeof(ok), 2, 8);
	cell("message:VM_CHECK_EVENT:EINVAL");

	/* Shorter: nothing, which is event 0. */
	peer_command(&peer, KVMI_VM_CHECK_EVENT, NULL, 0, NULL, 0);
	peer_command(&peer, KVMI_VM_CHECK_EVENT, longer, sizeof(longer), NULL,
		     0);
	hooked_end(vm, &peer);
	return 0;
}
