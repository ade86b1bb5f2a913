// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Replies to events. The kernel ends the session over a wrong one, so each is
 * checked against the table before it is sent.
 */
#include <errno.h>

#include "event.h"
#include "kind.h"
#include "vm.h"

static bool is_valid(const struct kvmi_event *event, unsigned int action,
		     size_t size)
{
	const struct event_kind *kind = event_kind_find(event->id);

	if (!event->state || !kind || !event_kind_allows(kind, action))
		return false;

	/* What CONTINUE leaves out would be read as zero. */
	if (action == KVMI_EVENT_ACTION_CONTINUE)
		return size == kind->reply;
	return size <= kind->reply;
}

static int fail(struct kvmi_vm *vm, const struct kvmi_event *event, int err)
{
	return vm_fail(vm, err, (struct failure){
		.command = KVMI_VCPU_EVENT,
		.vcpu = event->state ? event->state->vcpu : -1,
		.event = event->id,
		.gpa = UINT64_MAX,
	});
}

int kvmi_event_reply(struct kvmi_vm *vm, struct kvmi_event *event,
		     unsigned int action, const void *data, size_t size)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
	} head = {
		.hdr.id = KVMI_VCPU_EVENT,
		.hdr.seq = event->seq,
		.reply.action = (uint8_t)action,
		.reply.event = (uint8_t)event->id,
	};
	struct iovec iov[] = {
		{ &head, sizeof(head) },
		{ (void *)data, size },
	};
	int err;

	if (!is_valid(event, action, size))
		return fail(vm, event, -EINVAL);
	if (__atomic_exchange_n(&event->is_answered, true, __ATOMIC_SEQ_CST))
		return fail(vm, event, -EALREADY);

	head.hdr.size = (uint16_t)(sizeof(head) - sizeof(head.hdr) + size);
	head.vcpu.vcpu = event->state->vcpu;
	err = channel_send(&vm->channel, iov, 2);
	if (err)
		__atomic_store_n(&event->is_answered, false, __ATOMIC_SEQ_CST);
	return fail(vm, event, err);
}

/* Behind an instruction of @size bytes. The processor wraps EIP, and not IP. */
static int move_on(struct kvmi_vm *vm, const struct kvmi_vcpu_event *state,
		   unsigned int size)
{
	struct kvm_regs regs = state->arch.regs;

	regs.rip += size;
	if (state->arch.mode != 8)
		regs.rip = (uint32_t)regs.rip;
	return kvmi_vcpu_set_registers(vm, state->vcpu, &regs);
}

int kvmi_event_reply_skip(struct kvmi_vm *vm, struct kvmi_event *event)
{
	uint8_t code[KVMI_INSTRUCTION_MAX];
	int n, err;

	if (!is_valid(event, KVMI_EVENT_ACTION_RETRY, 0))
		return fail(vm, event, -EINVAL);
	/* The registers would be for the event that comes next. */
	if (__atomic_load_n(&event->is_answered, __ATOMIC_SEQ_CST))
		return fail(vm, event, -EALREADY);

	n = kvmi_event_read_instruction(vm, event, code);
	if (n < 0)
		return n;
	err = move_on(vm, event->state, (unsigned int)n);
	return err ? err : kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_RETRY,
					    NULL, 0);
}

int kvmi_event_reply_cr(struct kvmi_vm *vm, struct kvmi_event *event,
			uint64_t new_val)
{
	const struct kvmi_vcpu_event_cr_reply reply = { .new_val = new_val };

	if (event->id != KVMI_VCPU_EVENT_CR)
		return fail(vm, event, -EINVAL);
	return kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE, &reply,
				sizeof(reply));
}

int kvmi_event_reply_msr(struct kvmi_vm *vm, struct kvmi_event *event,
			 uint64_t new_val)
{
	const struct kvmi_vcpu_event_msr_reply reply = { .new_val = new_val };

	if (event->id != KVMI_VCPU_EVENT_MSR)
		return fail(vm, event, -EINVAL);
	return kvmi_event_reply(vm, event, KVMI_EVENT_ACTION_CONTINUE, &reply,
				sizeof(reply));
}
