// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_INTROSPECTION_HOOK: each error, in the order of the tests behind them,
 * and that an attempt which failed leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void refused(struct vmm *vm, int fd, const char *what)
{
	struct peer peer;

	note("%s", what);
	expect(-EINVAL, __hook_fd(vm, fd));
	if (fd >= 0)
		close(fd);
	/* The next one must find a clean VM, without an UNHOOK between. */
	hook(vm, &peer);
	peer_expect_open(&peer);
	unhook(vm);
	peer_close(&peer);
}

static int half_of_pair(int type)
{
	int fds[2];

	must(socketpair(AF_UNIX, type, 0, fds));
	close(fds[1]);
	return fds[0];
}

static void test_bad_files(struct vmm *vm)
{
	refused(vm, -1, "fd -1");
	refused(vm, 1 << 20, "fd that is not open");
	refused(vm, must(open("/dev/null", O_RDWR)), "not a socket");
	refused(vm, half_of_pair(SOCK_DGRAM), "datagram socket");
	refused(vm, half_of_pair(SOCK_SEQPACKET), "sequenced packets");
	refused(vm, must(socket(AF_UNIX, SOCK_STREAM, 0)), "unconnected");
	cell("ioctl:HOOK:EINVAL");
}

static void test_argument(struct vmm *vm)
{
	struct kvm_introspection_hook padded = { .fd = -1, .padding = 1 };

	expect(-EFAULT, __hook_ioctl(vm, NULL));
	expect(-EFAULT, __hook_ioctl(vm, (void *)8));
	cell("ioctl:HOOK:EFAULT");
	expect(-EINVAL, __hook_ioctl(vm, &padded));
}

/* The order: argument, padding, already hooked; the fd is looked at last. */
static void test_hooked(struct vmm *vm)
{
	struct kvm_introspection_hook padded = { .fd = -1, .padding = 1 };
	struct peer peer;

	hook(vm, &peer);
	peer_expect_open(&peer);
	cell("ioctl:HOOK:ok");

	expect(-EFAULT, __hook_ioctl(vm, NULL));
	expect(-EINVAL, __hook_ioctl(vm, &padded));
	expect(-EEXIST, __hook_fd(vm, -1));
	cell("ioctl:HOOK:EEXIST");
	peer_expect_open(&peer);

	/* A session that ended is still there until UNHOOK. */
	peer_close(&peer);
	sleep_ms(50);
	expect(-EEXIST, __hook_fd(vm, -1));
	unhook(vm);
	hook(vm, &peer);
	peer_expect_open(&peer);
	unhook(vm);
	peer_close(&peer);
}

static void test_irqchips(void)
{
	struct vmm_options none = { .irqchip = VMM_IRQCHIP_NONE };
	struct vmm_options split = { .irqchip = VMM_IRQCHIP_SPLIT };
	struct peer peer;
	struct vmm *vm;

	vm = vmm_create(&none);
	expect(-EOPNOTSUPP, __hook_fd(vm, -1));
	expect(-EOPNOTSUPP, __hook(vm, &peer));
	cell("ioctl:HOOK:EOPNOTSUPP");
	expect(-EFAULT, __hook_command(vm, KVMI_VM_GET_INFO, 1));
	vmm_destroy(vm);

	vm = hooked_vmm(&split, &peer);
	hooked_end(vm, &peer);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);

	hook_require(vm);
	expect(KVMI_VERSION, ioctl(vm->fd, KVM_CHECK_EXTENSION,
				   KVM_CAP_INTROSPECTION));
	expect(KVMI_VERSION, ioctl(vm->kvm, KVM_CHECK_EXTENSION,
				   KVM_CAP_INTROSPECTION));
	test_argument(vm);
	test_bad_files(vm);
	test_hooked(vm);
	vmm_destroy(vm);
	test_irqchips();
	return 0;
}
