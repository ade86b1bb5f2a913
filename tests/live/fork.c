// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that forks: the child may do nothing to the VM, its end changes
 * nothing. When the parent dies first the child holds the VM: its memory is
 * gone, the session is not stuck.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

static void test_child(struct vmm *vm)
{
	struct peer peer;
	int pid = must(fork());

	if (!pid) {
		expect(-EIO, __hook(vm, &peer));
		expect(-EIO, __hook_command(vm, -1, 0));
		expect(-EIO, __hook_event(vm, -1, 0));
		expect(-EIO, __preunhook(vm));
		expect(-EIO, __unhook(vm));
		_exit(0);
	}
	expect(0, wait_child(pid));
}

static void parent(int fd, int ready)
{
	struct vmm *vm = vmm_create(NULL);

	expect(0, __hook_fd(vm, fd));
	close(fd);
	hook_allow_all(vm);
	vmm_vcpu_run(vm, 0, &guest_busy);
	if (!must(fork())) {
		/* The heir: keeps the files until it is told to go. */
		int self = getpid();

		must(write(ready, &self, sizeof(self)));
		for (;;)
			pause();
	}
	for (;;)
		pause();
}

static void test_heir(void)
{
	struct peer peer;
	int fd = peer_open(&peer);
	uint8_t page[4096];
	int ready[2];
	int pid, heir, r;

	must(pipe(ready));
	pid = must(fork());
	if (!pid) {
		peer_close(&peer);
		parent(fd, ready[1]);
	}
	close(fd);
	expect(sizeof(heir), read(ready[0], &heir, sizeof(heir)));
	expect(0, __peer_read(&peer, 0x1000, page, 4096));
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));

	/* The memory of the VM went with the process that made it. */
	r = __peer_read(&peer, 0x1000, page, 4096);
	expect(-KVM_ENOENT, r);
	r = __peer_put(&peer, 0x1000, page, 4096);
	expect(-KVM_ENOENT, r);
	peer_expect_open(&peer);
	must(kill(heir, SIGKILL));
	peer_expect_closed(&peer);
	peer_close(&peer);
}

int main(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);

	test_child(vm);
	peer_expect_open(&peer);
	hooked_end(vm, &peer);
	test_heir();
	return 0;
}
