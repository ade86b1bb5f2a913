// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 rounds of HOOK and, under a guest that is busy on two vCPUs, the end of
 * the tool, UNHOOK, both at once, or the end of the whole VMM. What the kernel
 * and this process hold after round 20 and round 200 is the same.
 *
 * lab: timeout=120
 */
#include "../lib/rounds.h"

/* Commands without end, until the socket goes. */
static void *chatter(void *arg)
{
	struct peer *peer = arg;
	struct peer_message message = {
		.hdr = { KVMI_VM_READ_PHYSICAL, 16, 1 },
	};
	struct kvmi_vm_read_physical read = { .gpa = 0x1000, .size = 512 };
	unsigned int i;

	__builtin_memcpy(message.body, &read, sizeof(read));
	for (i = 0; !__peer_write(peer, &message, 8 + 16); i++)
		/* Reads less than it asks for, to have sends in flight. */
		if (i % 4 && __peer_receive(peer, &message))
			break;
		else
			message.hdr = (struct kvmi_msg_hdr){
				KVMI_VM_READ_PHYSICAL, 16, i };
	return NULL;
}

static void start(struct vmm *vm, int round)
{
	(void)round;
	vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_vcpu_run(vm, 1, &guest_busy);
}

static void expect_alive(struct vmm *vm)
{
	vmm_expect_alive(&vm->vcpus[0]);
	vmm_expect_alive(&vm->vcpus[1]);
}

int main(void)
{
	static const struct rounds rounds = {
		.talk = chatter, .start = start, .expect_alive = expect_alive,
		.most_ms = 8,
	};

	rounds_run(&rounds);
	return 0;
}
