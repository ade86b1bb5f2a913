// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_INTROSPECTION_COMMAND and _EVENT: their errors, and what the tool may do
 * afterwards.
 */
#include <errno.h>
#include <sys/ioctl.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static const int always[] = {
	KVMI_GET_VERSION, KVMI_VM_CHECK_COMMAND, KVMI_VM_CHECK_EVENT,
};

static int may_command(struct peer *peer, uint16_t id)
{
	struct kvmi_vm_check_command check = { .id = id };

	return __peer_command(peer, KVMI_VM_CHECK_COMMAND, &check,
			      sizeof(check), NULL, 0);
}

static int may_event(struct peer *peer, uint16_t id)
{
	struct kvmi_vm_check_event check = { .id = id };

	return __peer_command(peer, KVMI_VM_CHECK_EVENT, &check,
			      sizeof(check), NULL, 0);
}

static void test_argument(struct vmm *vm)
{
	expect(-EFAULT, ioctl(vm->fd, KVM_INTROSPECTION_COMMAND, 8) < 0 ?
				-errno : 0);
	expect(-EFAULT, ioctl(vm->fd, KVM_INTROSPECTION_EVENT, 8) < 0 ?
				-errno : 0);

	expect(-EINVAL, __hook_command(vm, KVMI_VM_GET_INFO, 2));
	expect(-EINVAL, __hook_command(vm, -1, 0xffffffff));
	expect(-EINVAL, __hook_command(vm, -2, 1));
	expect(-EINVAL, __hook_command(vm, INT32_MIN, 0));
	expect(-EINVAL, __hook_command(vm, KVMI_NEXT_VCPU_MESSAGE, 1));
	expect(-EINVAL, __hook_command(vm, INT32_MAX, 1));

	expect(-EINVAL, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 2));
	expect(-EINVAL, __hook_event(vm, -2, 0));
	expect(-EINVAL, __hook_event(vm, KVMI_NEXT_VCPU_EVENT, 0));
	expect(-EINVAL, __hook_event(vm, INT32_MAX, 0));
}

/* The argument is judged before it matters whether the VM is hooked. */
static void test_not_hooked(struct vmm *vm)
{
	test_argument(vm);
	expect(-EFAULT, __hook_command(vm, KVMI_VM_GET_INFO, 1));
	expect(-EFAULT, __hook_command(vm, KVMI_GET_VERSION, 0));
	expect(-EFAULT, __hook_event(vm, KVMI_VM_EVENT_UNHOOK, 1));
}

static void test_all(struct vmm *vm, struct peer *peer)
{
	int i;

	expect(0, __hook_command(vm, -1, 1));
	expect(0, may_command(peer, KVMI_VM_GET_INFO));
	expect(0, __hook_command(vm, -1, 0));
	expect(-KVM_EPERM, may_command(peer, KVMI_VM_GET_INFO));
	for (i = 0; i < 3; i++)
		expect(0, may_command(peer, always[i]));

	expect(0, __hook_event(vm, -1, 1));
	expect(0, may_event(peer, KVMI_VM_EVENT_UNHOOK));
	expect(0, __hook_event(vm, -1, 0));
	expect(-KVM_EPERM, may_event(peer, KVMI_VM_EVENT_UNHOOK));
}

static void test_each(struct vmm *vm, struct peer *peer)
{
	struct kvmi_vm_get_info_reply info;
	int i;

	/* Holes inside the range are accepted. */
	for (i = 0; i < KVMI_NEXT_VCPU_MESSAGE; i++)
		expect(0, __hook_command(vm, i, 1));
	peer_command(peer, KVMI_VM_GET_INFO, NULL, 0, &info, sizeof(info));
	for (i = 0; i < KVMI_NEXT_VCPU_MESSAGE; i++)
		if (i != always[0] && i != always[1] && i != always[2])
			expect(0, __hook_command(vm, i, 0));
	peer_expect_error(peer, KVMI_VM_GET_INFO, NULL, 0, KVM_EPERM);
	cell("common:not_allowed");

	for (i = 0; i < 3; i++) {
		expect(-EPERM, __hook_command(vm, always[i], 0));
		expect(0, may_command(peer, always[i]));
	}

	for (i = 0; i < KVMI_NEXT_VCPU_EVENT; i++)
		expect(0, __hook_event(vm, i, 1));
	expect(0, may_event(peer, KVMI_VM_EVENT_UNHOOK));
	for (i = 0; i < KVMI_NEXT_VCPU_EVENT; i++)
		expect(0, __hook_event(vm, i, 0));
	expect(-KVM_EPERM, may_event(peer, KVMI_VM_EVENT_UNHOOK));
}

/* What a new session begins with. */
static void test_fresh(struct peer *peer)
{
	int i;

	for (i = 0; i < 3; i++)
		expect(0, may_command(peer, always[i]));
	expect(-KVM_EPERM, may_command(peer, KVMI_VM_GET_INFO));
	expect(-KVM_EPERM, may_command(peer, KVMI_VM_CONTROL_CLEANUP));
	expect(-KVM_EPERM, may_event(peer, KVMI_VM_EVENT_UNHOOK));
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct peer peer;

	hook_require(vm);
	test_not_hooked(vm);

	hook(vm, &peer);
	test_fresh(&peer);
	test_argument(vm);
	cell("ioctl:COMMAND:EFAULT");
	cell("ioctl:COMMAND:EINVAL");
	cell("ioctl:EVENT:EFAULT");
	cell("ioctl:EVENT:EINVAL");
	test_all(vm, &peer);
	test_each(vm, &peer);
	cell("ioctl:COMMAND:ok");
	cell("ioctl:COMMAND:EPERM");
	cell("ioctl:EVENT:ok");

	/* Permissions end with the session. */
	hook_allow_all(vm);
	unhook(vm);
	peer_close(&peer);
	expect(-EFAULT, __hook_command(vm, KVMI_VM_GET_INFO, 1));
	hook(vm, &peer);
	test_fresh(&peer);
	hooked_end(vm, &peer);
	return 0;
}
