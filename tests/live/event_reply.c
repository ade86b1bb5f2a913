// SPDX-License-Identifier: GPL-2.0-only
/*
 * Replies to events: what is wrong with one ends the session, and the guest
 * goes on as if there had been no event; what is short reads as zeros.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../lib/event.h"
#include "../lib/test.h"

struct reply {
	struct kvmi_msg_hdr hdr;
	struct kvmi_vcpu_hdr vcpu;
	struct kvmi_vcpu_event_reply reply;
	uint64_t data[2];
};

static void seq_before(struct reply *reply)
{
	reply->hdr.seq--;
}

static void seq_after(struct reply *reply)
{
	reply->hdr.seq++;
}

static void length_short(struct reply *reply)
{
	reply->hdr.size = 15;
}

static void length_none(struct reply *reply)
{
	reply->hdr.size = 0;
}

static void length_long(struct reply *reply)
{
	reply->hdr.size++;
}

static void padding1(struct reply *reply)
{
	reply->reply.padding1 = 1;
}

static void padding2(struct reply *reply)
{
	reply->reply.padding2 = 0x80000000;
}

static void event_other(struct reply *reply)
{
	reply->reply.event = KVMI_VCPU_EVENT_PAUSE;
}

static void event_none(struct reply *reply)
{
	reply->reply.event = 0xff;
}

static void action_retry(struct reply *reply)
{
	reply->reply.action = KVMI_EVENT_ACTION_RETRY;
}

static void action_none(struct reply *reply)
{
	reply->reply.action = 3;
}

static void action_far(struct reply *reply)
{
	reply->reply.action = 0xff;
}

static const struct {
	const char *rule;
	void (*spoil)(struct reply *reply);
} rules[] = {
	{ "event_reply_seq", seq_before },
	{ "event_reply_seq", seq_after },
	{ "event_reply_length", length_short },
	{ "event_reply_length", length_none },
	{ "event_reply_length", length_long },
	{ "event_reply_padding", padding1 },
	{ "event_reply_padding", padding2 },
	{ "event_reply_event", event_other },
	{ "event_reply_event", event_none },
	{ "event_reply_action", action_retry },
	{ "event_reply_action", action_none },
	{ "event_reply_action", action_far },
};

static void make(struct reply *reply, const struct event *event)
{
	bool data = event->id == KVMI_VCPU_EVENT_CR ||
		    event->id == KVMI_VCPU_EVENT_MSR;

	*reply = (struct reply){
		.hdr = { KVMI_VCPU_EVENT, data ? 24 : 16, event->seq },
		.reply = { .event = event->id },
		/* The value that changes nothing would hide much. */
		.data = { data ? event->cr.old_value : 0 },
	};
}

static void write_reply(struct peer *peer, const struct reply *reply)
{
	peer_write(peer, reply, sizeof(reply->hdr) + reply->hdr.size);
}

static struct vmm *begin(struct peer *peer, uint64_t kind, struct event *event)
{
	struct vmm *vm = hooked_vmm(NULL, peer);
	struct vmm_vcpu *vcpu = vmm_vcpu_create(vm, 0);

	vmm_vcpu_load_long(vcpu, kind);
	vmm_vcpu_start(vcpu);
	kind_control(peer, 0, kind, 1);
	kind_begin(peer, vcpu, kind);
	event_receive(peer, kind_event(kind), event);
	return vm;
}

static void test_rule(uint64_t kind, int i)
{
	struct reply reply;
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, kind, &event);

	note("%s, %d, kind %d", rules[i].rule, i, (int)kind);
	make(&reply, &event);
	rules[i].spoil(&reply);
	write_reply(&peer, &reply);
	peer_expect_closed(&peer);
	vmm_wait_executions(&vm->vcpus[0], 1);
	expect(vmm_state(&vm->vcpus[0])->wanted,
	       vmm_state(&vm->vcpus[0])->result);
	cell("closing:%s", rules[i].rule);
	hook_expect_usable(vm);
	peer_close(&peer);
	vmm_destroy(vm);
}

/* Padding of the vCPU's header is an error, and the vCPU waits on. */
static void test_header(void)
{
	struct peer_message message;
	struct reply reply;
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3, &event);

	make(&reply, &event);
	reply.vcpu.padding1 = 1;
	write_reply(&peer, &reply);
	expect(-KVM_EINVAL, peer_reply(&peer, KVMI_VCPU_EVENT, event.seq,
				       &message));
	reply.vcpu.padding1 = 0;
	reply.vcpu.vcpu = 1;
	write_reply(&peer, &reply);
	expect(-KVM_EINVAL, peer_reply(&peer, KVMI_VCPU_EVENT, event.seq,
				       &message));
	event_expect_none(&peer);
	event_continue(&peer, &event);
	vmm_wait_executions(&vm->vcpus[0], 1);
	hooked_end(vm, &peer);
}

/* No new value is 0, which no vCPU takes in its CR4: a fault in the guest. */
static void test_short_data(void)
{
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3, &event);
	uint64_t value = event.cr.new_value;

	/* Two bytes hold all of this one. */
	expect_true(value && value < 1 << 24);
	event_answer_data(&peer, &event, KVMI_EVENT_ACTION_CONTINUE, &value,
			  3);
	vmm_wait_executions(&vm->vcpus[0], 1);
	expect(value, vmm_state(&vm->vcpus[0])->result);
	hooked_end(vm, &peer);
}

/* A second reply is one that nobody waits for. */
static void test_twice(void)
{
	struct event event;
	struct peer peer;
	struct vmm *vm = begin(&peer, GUEST_CR3, &event);

	event_continue(&peer, &event);
	vmm_wait_executions(&vm->vcpus[0], 1);
	event_continue(&peer, &event);
	peer_expect_closed(&peer);
	cell("closing:event_reply_unexpected");
	hook_expect_usable(vm);
	peer_close(&peer);
	vmm_destroy(vm);
}

int main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		test_rule(GUEST_CR3, i);
		test_rule(GUEST_MSR, i);
		test_rule(GUEST_TRAP, i);
	}
	test_header();
	test_short_data();
	test_twice();
	return 0;
}
