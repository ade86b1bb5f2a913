// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 rounds of HOOK with all events on, under a guest that does watched things
 * on two vCPUs all the time, ended by the tool, by UNHOOK, or by the death of
 * the whole VMM. What the kernel and this process hold after round 20 and round
 * 200 is the same.
 *
 * lab: timeout=180
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/event.h"
#include "../lib/resources.h"
#include "../lib/test.h"

#define ROUNDS	200
#define SETTLED	20
#define MANY	(1ull << 60)

static const uint64_t kinds[] = {
	GUEST_CR3, GUEST_INT3, GUEST_HYPERCALL, GUEST_CR4, GUEST_CR0,
};

static int send_body(struct peer *peer, uint16_t id, const void *body,
		     size_t size)
{
	struct peer_message message = {
		.hdr = { .id = id, .size = size, .seq = ++peer->seq },
	};

	__builtin_memcpy(message.body, body, size);
	return __peer_write(peer, &message, sizeof(message.hdr) + size);
}

/* The session can end at any byte, so nothing here may assert success. */
static int enable_all(struct peer *peer)
{
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_control_events events;
	} events = { .events = { .enable = 1 } };
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_control_cr cr;
	} cr = { .cr = { .enable = 1 } };
	struct kvmi_vm_pause_vcpu pause = { 0 };
	int i, r = 0;

	for (i = 0; i < 8 && !r; i++) {
		events.vcpu.vcpu = i % 2;
		events.events.event_id = 1 + i / 2 * 2;
		r = send_body(peer, KVMI_VCPU_CONTROL_EVENTS, &events,
			      sizeof(events));
	}
	for (i = 0; i < 6 && !r; i++) {
		cr.vcpu.vcpu = i % 2;
		cr.cr.cr = i / 2 ? 2 + i / 2 : 0;
		r = send_body(peer, KVMI_VCPU_CONTROL_CR, &cr, sizeof(cr));
	}
	for (i = 0; i < 2 && !r; i++) {
		pause.vcpu = i;
		r = send_body(peer, KVMI_VM_PAUSE_VCPU, &pause,
			      sizeof(pause));
	}
	return r;
}

static int answer(struct peer *peer, const struct peer_message *message)
{
	const struct {
		struct kvmi_event_hdr hdr;
		struct kvmi_vcpu_event common;
		struct kvmi_vcpu_event_cr cr;
	} *event = (const void *)message->body;
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
		uint64_t value;
	} reply = {
		.hdr = { KVMI_VCPU_EVENT, 16, message->hdr.seq },
		.vcpu = { .vcpu = event->common.vcpu },
		.reply = { .event = event->hdr.event },
	};

	if (event->hdr.event == KVMI_VCPU_EVENT_CR) {
		reply.value = event->cr.new_value;
		reply.hdr.size += 8;
	}
	return __peer_write(peer, &reply, sizeof(reply.hdr) + reply.hdr.size);
}

/* Answers what comes, until the socket goes. */
static void *tool(void *arg)
{
	struct peer *peer = arg;
	struct peer_message message;
	int r = enable_all(peer);

	while (!r) {
		r = __peer_receive(peer, &message);
		if (!r && message.hdr.id == KVMI_VCPU_EVENT)
			r = answer(peer, &message);
	}
	return NULL;
}

static void vcpus_run(struct vmm *vm, int round)
{
	int i;

	for (i = 0; i < 2; i++) {
		vmm_vcpu_load_long(vmm_vcpu_create(vm, i),
				   kinds[(round + i) % 5]);
		vmm_vcpu_start_timer(&vm->vcpus[i]);
		vmm_vcpu_allow(&vm->vcpus[i], MANY);
		vmm_vcpu_start(&vm->vcpus[i]);
	}
}

static void round_here(struct vmm *vm, int round)
{
	pthread_t thread;
	struct peer peer;
	int i;

	for (i = 0; i < 2; i++)
		vmm_state(&vm->vcpus[i])->kind = kinds[(round + i) % 5];
	hook(vm, &peer);
	hook_allow_all(vm);
	expect(0, pthread_create(&thread, NULL, tool, &peer));
	sleep_ms(rand() % 30);
	/* The tool goes first, or the device manager does. */
	if (round % 2)
		shutdown(peer.fd, SHUT_RDWR);
	unhook(vm);
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

/* The tool lives here, the VMM in a child that is killed. */
static void round_killed(int round)
{
	struct peer peer;
	int fd = peer_open(&peer);
	pthread_t thread;
	int pid = must(fork());

	if (!pid) {
		struct vmm *vm = vmm_create(NULL);

		peer_close(&peer);
		vcpus_run(vm, round);
		expect(0, __hook_fd(vm, fd));
		hook_allow_all(vm);
		for (;;)
			pause();
	}
	close(fd);
	expect(0, pthread_create(&thread, NULL, tool, &peer));
	sleep_ms(rand() % 40);
	must(kill(pid, SIGKILL));
	expect(128 + SIGKILL, wait_child(pid));
	shutdown(peer.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	peer_close(&peer);
}

static void expect_busy(struct vmm_vcpu *vcpu)
{
	volatile struct guest_state *state = vmm_state(vcpu);
	uint64_t before = state->executions;

	wait_for(state->executions > before + 2 || vcpu->error ||
		 vcpu->exit_reason);
	expect(0, vcpu->error);
	expect(0, vcpu->exit_reason);
	expect(0, state->wrong);
}

int main(void)
{
	struct vmm *vm = vmm_create(NULL);
	struct resources settled;
	int i;

	hook_require(vm);
	srand(1);
	vcpus_run(vm, 0);
	for (i = 1; i <= ROUNDS; i++) {
		if (i % 4 == 0)
			round_killed(i);
		else
			round_here(vm, i);
		if (i == SETTLED)
			resources_take(&settled, 0);
		if (i % 10 == 0) {
			expect_busy(&vm->vcpus[0]);
			expect_busy(&vm->vcpus[1]);
		}
	}
	note("%d rounds done", ROUNDS);
	expect_busy(&vm->vcpus[0]);
	expect_busy(&vm->vcpus[1]);
	expect(0, resources_settle(&settled, 0));
	hook_expect_usable(vm);
	vmm_destroy(vm);
	return 0;
}
