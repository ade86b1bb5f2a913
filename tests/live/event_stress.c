// SPDX-License-Identifier: GPL-2.0-only
/*
 * 200 rounds of HOOK with all events on and exceptions injected, under a guest
 * that does watched things on two vCPUs all the time, ended by the tool, by
 * UNHOOK, or by the death of the whole VMM. What the kernel and this process
 * hold after round 20 and round 200 is the same.
 *
 * lab: timeout=180
 */
#include "../lib/event.h"
#include "../lib/rounds.h"
#include "../lib/test.h"

#define MANY	(1ull << 60)

static const uint64_t kinds[] = {
	GUEST_CR3, GUEST_MSR, GUEST_INT3, GUEST_SIDT, GUEST_HYPERCALL,
	GUEST_CR4, GUEST_LTR, GUEST_CR0,
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

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
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_control_msr msr;
	} msr = { .msr = { .msr = KIND_MSR, .enable = 1 } };
	struct kvmi_vm_pause_vcpu pause = { 0 };
	int i, r = 0;

	/* Those that are unknown are refused. */
	for (i = 0; i < 16 && !r; i++) {
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
		msr.vcpu.vcpu = i;
		r = send_body(peer, KVMI_VCPU_CONTROL_MSR, &msr, sizeof(msr));
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

	/* The new value stands at the same place in both. */
	if (event->hdr.event == KVMI_VCPU_EVENT_CR ||
	    event->hdr.event == KVMI_VCPU_EVENT_MSR) {
		reply.value = event->cr.new_value;
		reply.hdr.size += 8;
	}
	return __peer_write(peer, &reply, sizeof(reply.hdr) + reply.hdr.size);
}

/* #BP, which the guest's handler takes wherever it comes; or -KVM_EBUSY. */
static int inject(struct peer *peer, uint16_t vcpu)
{
	struct {
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_inject_exception exception;
	} body = { .vcpu = { .vcpu = vcpu }, .exception = { .nr = 3 } };

	return send_body(peer, KVMI_VCPU_INJECT_EXCEPTION, &body,
			 sizeof(body));
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
		if (!r && message.hdr.seq % 3 == 0)
			r = inject(peer, message.hdr.seq / 3 % 2);
	}
	return NULL;
}

static void vcpus_run(struct vmm *vm, int round)
{
	int i;

	for (i = 0; i < 2; i++) {
		vmm_vcpu_load_long(vmm_vcpu_create(vm, i),
				   kinds[(round + i) % KINDS]);
		vmm_vcpu_start_timer(&vm->vcpus[i]);
		vmm_vcpu_allow(&vm->vcpus[i], MANY);
		vmm_vcpu_start(&vm->vcpus[i]);
	}
}

static void prepare(struct vmm *vm, int round)
{
	int i;

	for (i = 0; i < 2; i++)
		vmm_state(&vm->vcpus[i])->kind = kinds[(round + i) % KINDS];
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

static void expect_alive(struct vmm *vm)
{
	expect_busy(&vm->vcpus[0]);
	expect_busy(&vm->vcpus[1]);
}

int main(void)
{
	static const struct rounds rounds = {
		.talk = tool, .start = vcpus_run, .prepare = prepare,
		.expect_alive = expect_alive, .most_ms = 30,
	};

	rounds_run(&rounds);
	return 0;
}
