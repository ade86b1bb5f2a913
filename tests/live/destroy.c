// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM ends with its session open: files closed in any order, by exit or by
 * SIGKILL; the tool keeps its socket and sees the end of the stream.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

enum { CLOSE_VM, CLOSE_VCPU0, CLOSE_VCPU1, CLOSE_COUNT };

static const int orders[][CLOSE_COUNT] = {
	{ CLOSE_VM, CLOSE_VCPU0, CLOSE_VCPU1 },
	{ CLOSE_VCPU0, CLOSE_VM, CLOSE_VCPU1 },
	{ CLOSE_VCPU0, CLOSE_VCPU1, CLOSE_VM },
	{ CLOSE_VCPU1, CLOSE_VCPU0, CLOSE_VM },
};

static void close_one(struct vmm *vm, int which)
{
	int *fd = which == CLOSE_VM ? &vm->fd :
				      &vm->vcpus[which - CLOSE_VCPU0].fd;
	size_t size = must(ioctl(vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 0));

	/* The mapping of a vCPU holds its file. */
	if (which != CLOSE_VM)
		must(munmap(vm->vcpus[which - CLOSE_VCPU0].run, size));
	close(*fd);
	*fd = -1;
}

static void test_order(const int *order)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	int i;

	vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_vcpu_run(vm, 1, &guest_busy);
	vmm_expect_alive(&vm->vcpus[1]);
	vmm_vcpu_stop(&vm->vcpus[0]);
	vmm_vcpu_stop(&vm->vcpus[1]);
	for (i = 0; i < CLOSE_COUNT; i++) {
		/* Any file of the VM keeps it, and the session. */
		peer_expect_open(&peer);
		close_one(vm, order[i]);
	}
	peer_expect_closed(&peer);
	cell("closing:vm_destroyed");
	peer_close(&peer);
	close(vm->kvm);
}

static void child(int fd, bool leave, int parent)
{
	struct vmm *vm = vmm_create(NULL);
	char c;

	expect(0, __hook_fd(vm, fd));
	close(fd);
	hook_allow_all(vm);
	vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_vcpu_run(vm, 1, &guest_halt);
	vmm_expect_alive(&vm->vcpus[0]);
	must(write(parent, "r", 1));
	must(read(parent, &c, 1));
	if (leave)
		_exit(0);
	for (;;)
		pause();
}

static void test_process(bool leave)
{
	struct peer peer;
	int fd = peer_open(&peer);
	int line[2];
	uint8_t page[4096];
	int pid;
	char c;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, line));
	pid = must(fork());
	if (!pid) {
		peer_close(&peer);
		child(fd, leave, line[1]);
	}
	close(fd);
	close(line[1]);
	expect(1, read(line[0], &c, 1));
	expect(0, __peer_read(&peer, 0x1000, page, 4096));
	if (leave)
		must(write(line[0], "g", 1));
	else
		must(kill(pid, SIGKILL));
	expect(leave ? 0 : 128 + SIGKILL, wait_child(pid));
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(line[0]);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		test_order(orders[i]);
	for (i = 0; i < 10; i++)
		test_process(i % 2);
	return 0;
}
