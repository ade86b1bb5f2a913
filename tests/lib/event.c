// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands for vCPUs and events of vCPUs, on a raw socket.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "emulator.h"
#include "event.h"
#include "test.h"

#define MOMENT_MS	100
#define UD_VECTOR	6

int __vcpu_command(struct peer *peer, uint16_t vcpu, uint16_t id,
		   const void *body, size_t size, void *data, size_t data_size)
{
	struct kvmi_vcpu_hdr hdr = { .vcpu = vcpu };
	uint8_t whole[KVMI_MSG_SIZE];

	memcpy(whole, &hdr, sizeof(hdr));
	if (size)
		memcpy(whole + sizeof(hdr), body, size);
	return __peer_command(peer, id, whole, sizeof(hdr) + size, data,
			      data_size);
}

void vcpu_command(struct peer *peer, uint16_t vcpu, uint16_t id,
		  const void *body, size_t size, void *data, size_t data_size)
{
	expect(0, __vcpu_command(peer, vcpu, id, body, size, data, data_size));
}

void vcpu_expect_error(struct peer *peer, uint16_t vcpu, uint16_t id,
		       const void *body, size_t size, int error)
{
	expect(-error, __vcpu_command(peer, vcpu, id, body, size, NULL, 0));
}

void vcpu_expect_padding(struct peer *peer, uint16_t id, const void *body,
			 size_t size, size_t from, size_t to)
{
	const size_t head = sizeof(struct kvmi_vcpu_hdr);
	uint8_t whole[KVMI_MSG_SIZE] = { 0 };

	memcpy(whole + head, body, size);
	peer_expect_padding(peer, id, whole, head + size, head + from,
			    head + to);
}

int __vcpu_control_events(struct peer *peer, uint16_t vcpu, uint16_t event,
			  uint8_t enable)
{
	struct kvmi_vcpu_control_events control = {
		.event_id = event,
		.enable = enable,
	};

	return __vcpu_command(peer, vcpu, KVMI_VCPU_CONTROL_EVENTS, &control,
			      sizeof(control), NULL, 0);
}

void vcpu_control_events(struct peer *peer, uint16_t vcpu, uint16_t event,
			 uint8_t enable)
{
	expect(0, __vcpu_control_events(peer, vcpu, event, enable));
}

int __vcpu_control_cr(struct peer *peer, uint16_t vcpu, uint8_t cr,
		      uint8_t enable)
{
	struct kvmi_vcpu_control_cr control = { .cr = cr, .enable = enable };

	return __vcpu_command(peer, vcpu, KVMI_VCPU_CONTROL_CR, &control,
			      sizeof(control), NULL, 0);
}

void vcpu_control_cr(struct peer *peer, uint16_t vcpu, uint8_t cr,
		     uint8_t enable)
{
	expect(0, __vcpu_control_cr(peer, vcpu, cr, enable));
}

int __vcpu_control_msr(struct peer *peer, uint16_t vcpu, uint32_t msr,
		       uint8_t enable)
{
	struct kvmi_vcpu_control_msr control = { .msr = msr, .enable = enable };

	return __vcpu_command(peer, vcpu, KVMI_VCPU_CONTROL_MSR, &control,
			      sizeof(control), NULL, 0);
}

bool step_supported(struct peer *peer)
{
	struct kvmi_get_version_reply reply;

	peer_command(peer, KVMI_GET_VERSION, NULL, 0, &reply, sizeof(reply));
	return reply.features.singlestep;
}

void step_require(void)
{
	struct peer peer;
	struct vmm *vm = hooked_vmm(NULL, &peer);
	bool supported = step_supported(&peer);

	hooked_end(vm, &peer);
	if (!supported)
		skip("this CPU has no monitor trap flag");
	if (emulator_is_bochs_svm())
		skip("Bochs ends with the first trap of a guest of SVM");
}

int __vcpu_control_singlestep(struct peer *peer, uint16_t vcpu,
			      uint8_t enable)
{
	struct kvmi_vcpu_control_singlestep control = { .enable = enable };

	return __vcpu_command(peer, vcpu, KVMI_VCPU_CONTROL_SINGLESTEP,
			      &control, sizeof(control), NULL, 0);
}

void vcpu_control_singlestep(struct peer *peer, uint16_t vcpu, uint8_t enable)
{
	expect(0, __vcpu_control_singlestep(peer, vcpu, enable));
}

int __vm_set_page_access(struct peer *peer, uint64_t gpa, uint8_t access)
{
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entry;
	} body = {
		.head = { .count = 1 },
		.entry = { .gpa = gpa, .access = access },
	};

	return __peer_command(peer, KVMI_VM_SET_PAGE_ACCESS, &body,
			      sizeof(body), NULL, 0);
}

void vcpu_control_msr(struct peer *peer, uint16_t vcpu, uint32_t msr,
		      uint8_t enable)
{
	expect(0, __vcpu_control_msr(peer, vcpu, msr, enable));
}

void vcpu_get_registers(struct peer *peer, uint16_t vcpu,
			struct kvmi_vcpu_get_registers_reply *reply)
{
	struct kvmi_vcpu_get_registers get = { .nmsrs = 0 };

	vcpu_command(peer, vcpu, KVMI_VCPU_GET_REGISTERS, &get, sizeof(get),
		     reply, sizeof(*reply));
}

int __vcpu_set_registers(struct peer *peer, uint16_t vcpu,
			 const struct kvm_regs *regs)
{
	return __vcpu_command(peer, vcpu, KVMI_VCPU_SET_REGISTERS, regs,
			      sizeof(*regs), NULL, 0);
}

void vcpu_set_registers(struct peer *peer, uint16_t vcpu,
			const struct kvm_regs *regs)
{
	expect(0, __vcpu_set_registers(peer, vcpu, regs));
}

int __vcpu_pause(struct peer *peer, uint16_t vcpu, uint8_t wait)
{
	struct kvmi_vm_pause_vcpu pause = { .vcpu = vcpu, .wait = wait };

	return __peer_command(peer, KVMI_VM_PAUSE_VCPU, &pause, sizeof(pause),
			      NULL, 0);
}

void vcpu_pause(struct peer *peer, uint16_t vcpu)
{
	expect(0, __vcpu_pause(peer, vcpu, 0));
}

int __vcpu_inject(struct peer *peer, uint16_t vcpu, uint8_t nr,
		  uint32_t error_code, uint64_t address)
{
	struct kvmi_vcpu_inject_exception inject = {
		.nr = nr,
		.error_code = error_code,
		.address = address,
	};

	return __vcpu_command(peer, vcpu, KVMI_VCPU_INJECT_EXCEPTION, &inject,
			      sizeof(inject), NULL, 0);
}

void vcpu_inject(struct peer *peer, uint16_t vcpu, uint8_t nr)
{
	expect(0, __vcpu_inject(peer, vcpu, nr, 0, 0));
}

uint16_t kind_event(uint64_t kind)
{
	switch (kind) {
	case GUEST_INT3:
		return KVMI_VCPU_EVENT_BREAKPOINT;
	case GUEST_HYPERCALL:
	case GUEST_OTHER_CALL:
		return KVMI_VCPU_EVENT_HYPERCALL;
	case GUEST_TRAP:
		return KVMI_VCPU_EVENT_TRAP;
	case GUEST_MSR:
		return KVMI_VCPU_EVENT_MSR;
	case GUEST_XSETBV:
		return KVMI_VCPU_EVENT_XSETBV;
	case GUEST_PAGE:
		return KVMI_VCPU_EVENT_PF;
	default:
		return kind > GUEST_DESCRIPTOR ? KVMI_VCPU_EVENT_DESCRIPTOR :
						 KVMI_VCPU_EVENT_CR;
	}
}

void kind_control(struct peer *peer, uint16_t vcpu, uint64_t kind,
		  uint8_t enable)
{
	vcpu_control_events(peer, vcpu, kind_event(kind), enable);
	if (kind_event(kind) == KVMI_VCPU_EVENT_CR)
		vcpu_control_cr(peer, vcpu, kind == GUEST_XMM ? 3 : kind,
				enable);
	if (kind_event(kind) == KVMI_VCPU_EVENT_MSR)
		vcpu_control_msr(peer, vcpu, KIND_MSR, enable);
	if (kind_event(kind) == KVMI_VCPU_EVENT_PF)
		expect(0, __vm_set_page_access(peer, GUEST_TOUCHED(vcpu),
					       enable ? KIND_ACCESS : 7));
}

/* An exception before this one can be on its way. */
static bool provoked(struct peer *peer, uint16_t vcpu, uint64_t kind)
{
	struct kvmi_vcpu_get_registers_reply now;
	int r;

	vcpu_get_registers(peer, vcpu, &now);
	if (now.regs.rip != vmm_kind_rip(kind))
		return false;
	r = __vcpu_inject(peer, vcpu, UD_VECTOR, 0, 0);
	if (r != -KVM_EBUSY)
		expect(0, r);
	return !r;
}

void kind_provoke(struct peer *peer, uint16_t vcpu, uint64_t kind)
{
	if (kind == GUEST_TRAP)
		wait_for(provoked(peer, vcpu, kind));
}

void kind_begin(struct peer *peer, struct vmm_vcpu *vcpu, uint64_t kind)
{
	vmm_vcpu_allow(vcpu, 1);
	kind_provoke(peer, vcpu - vcpu->vm->vcpus, kind);
}

static size_t data_size(uint16_t id)
{
	switch (id) {
	case KVMI_VCPU_EVENT_CR:
		return sizeof(struct kvmi_vcpu_event_cr);
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return sizeof(struct kvmi_vcpu_event_breakpoint);
	case KVMI_VCPU_EVENT_TRAP:
		return sizeof(struct kvmi_vcpu_event_trap);
	case KVMI_VCPU_EVENT_MSR:
		return sizeof(struct kvmi_vcpu_event_msr);
	case KVMI_VCPU_EVENT_XSETBV:
		return sizeof(struct kvmi_vcpu_event_xsetbv);
	case KVMI_VCPU_EVENT_DESCRIPTOR:
		return sizeof(struct kvmi_vcpu_event_descriptor);
	case KVMI_VCPU_EVENT_PF:
		return sizeof(struct kvmi_vcpu_event_pf);
	case KVMI_VCPU_EVENT_SINGLESTEP:
		return sizeof(struct kvmi_vcpu_event_singlestep);
	default:
		return 0;
	}
}

int __event_receive(struct peer *peer, struct event *event)
{
	struct peer_event message;
	struct {
		struct kvmi_event_hdr hdr;
		struct kvmi_vcpu_event common;
	} head;
	static const uint8_t zero[7];
	int r;

	r = __peer_receive_event(peer, &message);
	if (r)
		return r;
	memcpy(&head, message.body, sizeof(head));
	expect_bytes(zero, head.hdr.padding, 6);
	expect(sizeof(head.common), head.common.size);
	expect(0, head.common.padding);
	expect_bytes(zero, head.common.arch.padding, 7);

	memset(event, 0, sizeof(*event));
	event->id = head.hdr.event;
	event->vcpu = head.common.vcpu;
	event->seq = message.hdr.seq;
	event->arch = head.common.arch;
	event->size = message.hdr.size - sizeof(head);
	expect(data_size(event->id), event->size);
	memcpy(event->data, message.body + sizeof(head), event->size);
	return 0;
}

void event_receive(struct peer *peer, uint16_t id, struct event *event)
{
	expect(0, __event_receive(peer, event));
	expect(id, event->id);
}

void event_receive_each(struct peer *peer, uint16_t id, struct event *events,
			int count)
{
	struct event event;
	int i, seen = 0;

	for (i = 0; i < count; i++) {
		event_receive(peer, id, &event);
		expect_true(event.vcpu < count);
		seen |= 1 << event.vcpu;
		events[event.vcpu] = event;
	}
	expect((1 << count) - 1, seen);
}

bool event_is_here(struct peer *peer)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };

	return peer->nevents || poll(&p, 1, 0) == 1;
}

void event_expect_none(struct peer *peer)
{
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };

	expect(0, peer->nevents);
	expect(0, poll(&p, 1, MOMENT_MS));
}

void event_answer_data(struct peer *peer, const struct event *event,
		       uint8_t action, const void *data, size_t size)
{
	struct {
		struct kvmi_msg_hdr hdr;
		struct kvmi_vcpu_hdr vcpu;
		struct kvmi_vcpu_event_reply reply;
		uint8_t data[64];
	} message = {
		.hdr = {
			KVMI_VCPU_EVENT,
			sizeof(message.vcpu) + sizeof(message.reply) + size,
			event->seq,
		},
		.vcpu = { .vcpu = event->vcpu },
		.reply = { .action = action, .event = event->id },
	};

	if (size)
		memcpy(message.data, data, size);
	peer_write(peer, &message, sizeof(message.hdr) + message.hdr.size);
}

void event_answer(struct peer *peer, const struct event *event,
		  uint8_t action)
{
	if (event->id == KVMI_VCPU_EVENT_CR)
		event_answer_data(peer, event, action, &event->cr.new_value,
				  sizeof(event->cr.new_value));
	else if (event->id == KVMI_VCPU_EVENT_MSR)
		event_answer_data(peer, event, action, &event->msr.new_value,
				  sizeof(event->msr.new_value));
	else
		event_answer_data(peer, event, action, NULL, 0);
}

void event_continue(struct peer *peer, const struct event *event)
{
	event_answer(peer, event, KVMI_EVENT_ACTION_CONTINUE);
}
