// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool that sends commands and never reads: the kernel's sender blocks, and
 * nothing else does. UNHOOK, and the end of the VMM, are prompt; the guest
 * runs on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/test.h"

/* Asks for pages until both directions are full. */
static void fill(struct peer *peer)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vm_read_physical read;
	} command = {
		{ KVMI_VM_READ_PHYSICAL, sizeof(command.read), 1 },
		{ .gpa = 0x4000, .size = 4096 },
	};
	uint64_t last = now_ms();
	ssize_t n;

	while (now_ms() - last < 500) {
		n = send(peer->fd, &command, sizeof(command),
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			expect(EAGAIN, errno);
			sleep_ms(10);
			continue;
		}
		expect(sizeof(command), n);
		last = now_ms();
	}
}

static void enable_event(struct peer *peer)
{
	struct kvmi_vm_control_events control = { KVMI_VM_EVENT_UNHOOK, 1,
						  0, 0 };

	peer_command(peer, KVMI_VM_CONTROL_EVENTS, &control, sizeof(control),
		     NULL, 0);
}

static void test_unhook(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_run(vm, 0, &guest_busy);
	uint64_t start;

	fill(&peer);
	vmm_expect_alive(vcpu);
	start = now_ms();
	unhook(vm);
	expect_true(now_ms() - start < PROMPT_MS);
	vmm_expect_alive(vcpu);
	hook_expect_usable(vm);
	peer_close(&peer);
	vmm_destroy(vm);
}

/* A VMM in a child, whose tool is deaf; in PREUNHOOK when asked for. */
static void child(int fd, struct peer *peer, bool preunhook, int ready)
{
	struct vmm *vm = vmm_create(NULL);

	expect(0, __hook_fd(vm, fd));
	close(fd);
	hook_allow_all(vm);
	vmm_vcpu_run(vm, 0, &guest_busy);
	enable_event(peer);
	fill(peer);
	peer_close(peer);
	must(write(ready, "r", 1));
	if (preunhook)
		__preunhook(vm);
	for (;;)
		pause();
}

static void test_kill(bool preunhook)
{
	struct peer peer;
	int fd = peer_open(&peer);
	int ready[2];
	uint64_t start;
	int pid;
	char c;

	must(pipe(ready));
	pid = must(fork());
	if (!pid)
		child(fd, &peer, preunhook, ready[1]);
	close(fd);
	close(ready[1]);
	expect(1, read(ready[0], &c, 1));
	sleep_ms(200);
	start = now_ms();
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));
	expect_true(now_ms() - start < PROMPT_MS);
	/* What was sent is still there to read, then comes the end. */
	peer_expect_closed(&peer);
	peer_close(&peer);
	close(ready[0]);
}

int main(void)
{
	test_unhook();
	test_kill(false);
	test_kill(true);
	return 0;
}
