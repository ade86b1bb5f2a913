// SPDX-License-Identifier: GPL-2.0-only
/*
 * A tool that sends commands and does not read: nothing but its own commands
 * waits. vCPUs leave KVM_RUN on a signal, UNHOOK and the end of the VMM are
 * prompt, the guest runs on. When it reads again it gets all that it asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/event.h"
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

#define COMMANDS_MAX	4096

/* Asks a vCPU for its registers until both directions are full. */
static int fill_vcpu(struct peer *peer)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_get_registers get;
	} command = {
		.hdr = { KVMI_VCPU_GET_REGISTERS, 16, 0 },
	};
	uint64_t last = now_ms();
	int count = 0;
	ssize_t n;

	while (now_ms() - last < 500) {
		command.hdr.seq = count;
		n = send(peer->fd, &command, sizeof(command),
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			expect(EAGAIN, errno);
			sleep_ms(10);
			continue;
		}
		expect(sizeof(command), n);
		expect_true(++count < COMMANDS_MAX);
		last = now_ms();
	}
	return count;
}

static void expect_interruptible(struct vmm_vcpu *vcpu)
{
	unsigned int before = vcpu->interrupted;
	uint64_t start = now_ms();

	vmm_vcpu_kick(vcpu);
	wait_for(vcpu->interrupted > before);
	expect_true(now_ms() - start < PROMPT_MS);
	start = now_ms();
	vmm_vcpu_stop(vcpu);
	expect_true(now_ms() - start < PROMPT_MS);
	vmm_vcpu_start(vcpu);
}

/* The replies are whole and in order, and the event is among them. */
static void read_all(struct peer *peer, int count, struct event *event)
{
	struct peer_message message;
	int next = 0, events = 0;

	while (next < count || !events) {
		peer_receive(peer, &message);
		if (message.hdr.id == KVMI_VCPU_EVENT) {
			memcpy(&peer->events[peer->nevents++], &message,
			       sizeof(peer->events[0]));
			event_receive(peer, KVMI_VCPU_EVENT_CR, event);
			events++;
			continue;
		}
		expect(KVMI_VCPU_GET_REGISTERS, message.hdr.id);
		expect(next++, message.hdr.seq);
		expect(8 + 472, message.hdr.size);
		expect(0, *(int32_t *)message.body);
	}
	expect(1, events);
}

/* An event and replies of a vCPU that nobody takes, then somebody does. */
static void test_vcpu(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);
	struct event event;
	int count;

	vmm_vcpu_load_long(vcpu, GUEST_CR3);
	vmm_vcpu_start_timer(vcpu);
	vmm_vcpu_start(vcpu);
	kind_control(&peer, 0, GUEST_CR3, 1);
	count = fill_vcpu(&peer);
	note("%d commands went in", count);
	expect_interruptible(vcpu);
	vmm_vcpu_allow(vcpu, 1);
	wait_for(vmm_state(vcpu)->attempts == 1);
	sleep_ms(50);
	expect_interruptible(vcpu);
	expect(0, vmm_state(vcpu)->executions);

	read_all(&peer, count, &event);
	event_continue(&peer, &event);
	vmm_wait_executions(vcpu, 1);
	hooked_end(vm, &peer);
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
	test_vcpu();
	test_kill(false);
	test_kill(true);
	return 0;
}
