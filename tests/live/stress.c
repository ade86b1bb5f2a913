// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 rounds of HOOK and, under a guest that is busy on two vCPUs, the end of
 * the tool, UNHOOK, both at once, or the end of the whole VMM. What the kernel
 * and this process hold after round 20 and round 200 is the same.
 *
 * lab: timeout=120
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/hook.h"
#include "../lib/resources.h"
#include "../lib/test.h"

#define ROUNDS	200
#define SETTLED	20

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

static void round_here(struct vmm *vm, int i)
{
	pthread_t thread;
	struct peer peer;

	hook(vm, &peer);
	hook_allow_all(vm);
	expect(0, pthread_create(&thread, NULL, chatter, &peer));
	sleep_ms(rand() % 8);
	/* The tool goes first, or the device manager does. */
	if (i % 2)
		shutdown(peer.fd, SHUT_RDWR);
	unhook(vm);
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

/* The tool lives here, the VMM in a child that is killed. */
static void round_killed(int i)
{
	struct peer peer;
	int fd = peer_open(&peer);
	pthread_t thread;
	int pid = must(fork());

	if (!pid) {
		struct vmm *vm = vmm_create(NULL);

		peer_close(&peer);
		vmm_vcpu_run(vm, 0, &guest_busy);
		vmm_vcpu_run(vm, 1, &guest_busy);
		expect(0, __hook_fd(vm, fd));
		hook_allow_all(vm);
		for (;;)
			pause();
	}
	close(fd);
	expect(0, pthread_create(&thread, NULL, chatter, &peer));
	sleep_ms(i % 40);
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct resources settled;
	int i;

	hook_require(vm);
	srand(1);
	vmm_vcpu_run(vm, 0, &guest_busy);
	vmm_vcpu_run(vm, 1, &guest_busy);
	for (i = 1; i <= ROUNDS; i++) {
		if (i % 4 == 0)
			round_killed(i);
		else
			round_here(vm, i);
		if (i == SETTLED)
			resources_take(&settled, 0);
	}
	note("%d rounds done", ROUNDS);
	vmm_expect_alive(&vm->vcpus[0]);
	vmm_expect_alive(&vm->vcpus[1]);
	expect(0, resources_settle(&settled, 0));
	hook_expect_usable(vm);
	vmm_destroy(vm);
	return 0;
}
