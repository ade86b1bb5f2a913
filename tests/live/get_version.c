// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_VERSION: right after HOOK, with nothing allowed.
 */
#include <string.h>

#include "../lib/hook.h"
#include "../lib/test.h"

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct kvmi_get_version_reply reply;
	static const uint8_t zero[7];
	uint8_t longer[64];
	struct peer peer;

	hook_require(vm);
	hook(vm, &peer);
	expect(0, __hook_command(vm, -1, 0));
	memset(&reply, 0xff, sizeof(reply));
	peer_command(&peer, KVMI_GET_VERSION, NULL, 0, &reply, sizeof(reply));
	expect(KVMI_VERSION, reply.version);
	expect(8184, reply.max_msg_size);
	expect_true(reply.features.singlestep <= 1);
	expect_true(reply.features.singlestep || vmm_is_intel());
	expect_bytes(zero, reply.features.padding, sizeof(zero));
	cell("message:GET_VERSION:ok");

	/* It has no structure, so all that follows is a tail to ignore. */
	memset(longer, 0xff, sizeof(longer));
	peer_command(&peer, KVMI_GET_VERSION, longer, sizeof(longer), &reply,
		     sizeof(reply));
	hooked_end(vm, &peer);
	return 0;
}
