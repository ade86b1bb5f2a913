// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM that is none, behind a socket: answers commands, reports events. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

static int check_access(const struct peer_memory *memory, uint64_t gpa,
			uint64_t size)
{
	if (!size || gpa % 4096 + size > 4096)
		return -KVM_EINVAL;
	if (gpa + size > memory->size ||
	    (gpa >= memory->hole && gpa < memory->hole_end))
		return -KVM_ENOENT;
	return 0;
}

static int answer_memory(int fd, const struct frame *frame,
			 const struct peer_memory *memory)
{
	struct kvmi_vm_read_physical req;
	int err;

	memcpy(&req, frame->body, sizeof(req));
	err = check_access(memory, req.gpa, req.size);
	if (err)
		return script_reply(fd, frame, err, NULL, 0);
	if (frame->hdr.id == KVMI_VM_READ_PHYSICAL)
		return script_reply(fd, frame, 0, memory->bytes + req.gpa,
				    req.size);

	if (frame->hdr.size < sizeof(req) + req.size)
		return -EPIPE;
	memcpy(memory->bytes + req.gpa, frame->body + sizeof(req), req.size);
	return script_reply(fd, frame, 0, NULL, 0);
}

static int answer_version(int fd, const struct frame *frame,
			  const struct peer_memory *memory)
{
	const struct kvmi_get_version_reply reply = {
		.version = KVMI_VERSION,
		.max_msg_size = KVMI_MAX_MSG_SIZE,
		.features.singlestep = !memory->is_old,
	};

	return script_reply(fd, frame, 0, &reply, sizeof(reply));
}

static int answer_check(int fd, const struct frame *frame)
{
	bool is_command = frame->hdr.id == KVMI_VM_CHECK_COMMAND;
	uint16_t id;
	int err = 0;

	memcpy(&id, frame->body, sizeof(id));
	if (is_command && (id < KVMI_GET_VERSION || id > KVMI_VM_GET_MAX_GFN ||
			   id & 1) && id != KVMI_VCPU_CONTROL_SINGLESTEP)
		err = -KVM_ENOENT;
	if (!is_command && id != KVMI_VM_EVENT_UNHOOK &&
	    id != KVMI_VCPU_EVENT_SINGLESTEP)
		err = -KVM_ENOENT;
	return script_reply(fd, frame, err, NULL, 0);
}

/* What the vCPUs of a fake VM do, as long as somebody watches. */
static _Thread_local struct {
	uint32_t seq;
	bool watches_cr3[2], cr_events[2], breakpoints;
	bool others[2][KVMI_NEXT_VCPU_EVENT];
	uint32_t msr;
	uint64_t point;		/* address of the INT3 */
	uint64_t set_rip;	/* what the tool has set last */
	unsigned int steps;
	unsigned int traps;	/* without reply */
	bool stepping[2];
} guest;

static int report_cr(int fd, uint16_t vcpu)
{
	const struct kvmi_vcpu_event_cr cr = {
		.cr = 3, .old_value = 0x1000, .new_value = 0x2000,
	};

	if (!guest.watches_cr3[vcpu] || !guest.cr_events[vcpu])
		return 0;
	usleep(2000);
	return script_vcpu_event(fd, ++guest.seq, vcpu, KVMI_VCPU_EVENT_CR, &cr,
				 sizeof(cr));
}

static int report_breakpoint(int fd, const struct peer_memory *memory)
{
	const struct kvmi_vcpu_event_breakpoint bp = { guest.point, 1, { 0 } };

	if (!guest.breakpoints || memory->bytes[guest.point] != 0xcc)
		return 0;
	usleep(2000);
	return script_vcpu_event(fd, ++guest.seq, 1, KVMI_VCPU_EVENT_BREAKPOINT,
				 &bp, sizeof(bp));
}

static int report_other(int fd, uint16_t vcpu, uint16_t id)
{
	const struct kvmi_vcpu_event_msr msr = {
		.msr = guest.msr, .old_value = 0x30, .new_value = 0x40,
	};
	const struct kvmi_vcpu_event_xsetbv xsetbv = {
		.old_value = 1, .new_value = 7,
	};
	const struct kvmi_vcpu_event_descriptor descriptor = {
		.descriptor = KVMI_DESC_GDTR, .write = 1,
	};
	const struct kvmi_vcpu_event_pf pf = {
		.gva = 0x5018, .gpa = 0x5018, .access = KVMI_PAGE_ACCESS_W,
	};

	if (!guest.others[vcpu][id])
		return 0;
	usleep(2000);
	switch (id) {
	case KVMI_VCPU_EVENT_MSR:
		return script_vcpu_event(fd, ++guest.seq, vcpu, id, &msr,
					 sizeof(msr));
	case KVMI_VCPU_EVENT_PF:
		return script_vcpu_event(fd, ++guest.seq, vcpu, id, &pf,
					 sizeof(pf));
	case KVMI_VCPU_EVENT_XSETBV:
		return script_vcpu_event(fd, ++guest.seq, vcpu, id, &xsetbv,
					 sizeof(xsetbv));
	default:
		return script_vcpu_event(fd, ++guest.seq, vcpu, id,
					 &descriptor, sizeof(descriptor));
	}
}

/* A byte each, but this one does not succeed. */
#define STEPS_TO_FAIL 4

static int report_step(int fd, uint16_t vcpu)
{
	struct {
		struct kvmi_vcpu_event state;
		struct kvmi_vcpu_event_singlestep step;
	} body = { 0 };

	if (!guest.stepping[vcpu])
		return 0;
	body.step.failed = ++guest.steps == STEPS_TO_FAIL;
	script_state(&body.state, vcpu);
	body.state.arch.regs.rip += guest.steps -
				    (guest.steps >= STEPS_TO_FAIL);
	return script_event(fd, ++guest.seq, KVMI_VCPU_EVENT_SINGLESTEP, &body,
			    sizeof(body));
}

static bool is_other(unsigned int id)
{
	return id == KVMI_VCPU_EVENT_MSR || id == KVMI_VCPU_EVENT_XSETBV ||
	       id == KVMI_VCPU_EVENT_DESCRIPTOR || id == KVMI_VCPU_EVENT_PF;
}

/* Behind the instruction, as otherwise the access would come again. */
static bool is_denied(const struct kvmi_vcpu_event_reply *reply, uint16_t vcpu)
{
	bool is_behind = guest.set_rip > 0x1000u + vcpu;

	guest.set_rip = 0;
	return reply->event == KVMI_VCPU_EVENT_PF &&
	       reply->action == KVMI_EVENT_ACTION_RETRY && is_behind;
}

static int answer_event_reply(int fd, const struct frame *frame,
			      const struct peer_memory *memory)
{
	const struct kvmi_vcpu_hdr *head = (const void *)frame->body;
	const struct kvmi_vcpu_event_reply *reply = (const void *)(head + 1);

	if (reply->event == KVMI_VCPU_EVENT_CR && frame->hdr.size == 24)
		return report_cr(fd, head->vcpu);
	if (reply->event == KVMI_VCPU_EVENT_BREAKPOINT &&
	    reply->action == KVMI_EVENT_ACTION_RETRY)
		return guest.stepping[head->vcpu] ? report_step(fd, head->vcpu) :
						    report_breakpoint(fd, memory);
	/* An MSR's reply has the value. */
	if (is_other(reply->event) && reply->action ==
	    KVMI_EVENT_ACTION_CONTINUE && frame->hdr.size ==
	    (reply->event == KVMI_VCPU_EVENT_MSR ? 24 : 16))
		return report_other(fd, head->vcpu, reply->event);
	if (is_denied(reply, head->vcpu))
		return report_other(fd, head->vcpu, reply->event);
	if (reply->event == KVMI_VCPU_EVENT_TRAP)
		guest.traps--;
	if (reply->event == KVMI_VCPU_EVENT_PAUSE ||
	    reply->event == KVMI_VCPU_EVENT_TRAP ||
	    reply->event == KVMI_VCPU_EVENT_SINGLESTEP)
		return report_step(fd, head->vcpu);
	return -EPIPE;
}

static int answer_registers(int fd, const struct frame *frame)
{
	const struct kvmi_vcpu_get_registers *req =
		(const void *)(frame->body + sizeof(struct kvmi_vcpu_hdr));
	struct {
		struct kvmi_vcpu_get_registers_reply fixed;
		struct kvm_msr_entry msrs[8];
	} reply = {
		.fixed.mode = 8,
		.fixed.regs.rip = 0xffffffff81000000 + frame->body[0],
		.fixed.nmsrs = req->nmsrs,
	};
	unsigned int i;

	if (req->nmsrs > 8)
		return script_reply(fd, frame, -KVM_EINVAL, NULL, 0);
	for (i = 0; i < req->nmsrs; i++)
		reply.msrs[i] = (struct kvm_msr_entry){
			.index = req->msrs_idx[i], .data = 0xabc0 + i,
		};
	return script_reply(fd, frame, 0, &reply, sizeof(reply.fixed) +
			    req->nmsrs * sizeof(reply.msrs[0]));
}

static int answer_control(int fd, const struct frame *frame)
{
	const uint8_t *req = frame->body + sizeof(struct kvmi_vcpu_hdr);
	uint16_t vcpu = frame->body[0];
	bool is_new = false;
	int err;

	if (frame->hdr.id == KVMI_VCPU_CONTROL_MSR) {
		memcpy(&guest.msr, req + 4, sizeof(guest.msr));
	} else if (frame->hdr.id == KVMI_VCPU_CONTROL_CR) {
		guest.watches_cr3[vcpu] = req[0] == 3 && req[1];
	} else if (req[0] == KVMI_VCPU_EVENT_CR) {
		is_new = req[2] && !guest.cr_events[vcpu];
		guest.cr_events[vcpu] = req[2];
	} else if (req[0] == KVMI_VCPU_EVENT_BREAKPOINT) {
		guest.breakpoints = req[2];
	} else if (is_other(req[0])) {
		is_new = req[2] && !guest.others[vcpu][req[0]];
		guest.others[vcpu][req[0]] = req[2];
	}
	err = script_reply(fd, frame, 0, NULL, 0);
	if (err || !is_new)
		return err;
	return is_other(req[0]) ? report_other(fd, vcpu, req[0]) :
				  report_cr(fd, vcpu);
}

/* What the guest gets is told, whether somebody asked for that or not. */
static int answer_inject(int fd, const struct frame *frame)
{
	const struct kvmi_vcpu_inject_exception *req =
		(const void *)(frame->body + sizeof(struct kvmi_vcpu_hdr));
	const struct kvmi_vcpu_event_trap trap = {
		.nr = req->nr, .error_code = req->error_code,
		.address = req->address,
	};

	if (guest.traps)
		return script_reply(fd, frame, -KVM_EBUSY, NULL, 0);
	guest.traps++;
	if (script_reply(fd, frame, 0, NULL, 0))
		return -EPIPE;
	return script_vcpu_event(fd, ++guest.seq, frame->body[0],
				 KVMI_VCPU_EVENT_TRAP, &trap, sizeof(trap));
}

static int answer_vcpu(int fd, const struct frame *frame,
		       const struct peer_memory *memory)
{
	struct kvmi_vcpu_translate_gva_reply gpa;
	const struct kvm_regs *regs;
	uint64_t gva;

	if (frame->body[0] > 1)
		return script_reply(fd, frame, -KVM_EINVAL, NULL, 0);
	switch (frame->hdr.id) {
	case KVMI_VCPU_GET_REGISTERS:
		return answer_registers(fd, frame);
	case KVMI_VCPU_CONTROL_CR:
	case KVMI_VCPU_CONTROL_MSR:
	case KVMI_VCPU_CONTROL_EVENTS:
		return answer_control(fd, frame);
	case KVMI_VCPU_INJECT_EXCEPTION:
		return answer_inject(fd, frame);
	case KVMI_VCPU_SET_REGISTERS:
		regs = (const void *)(frame->body + 8);
		guest.set_rip = regs->rip;
		return script_reply(fd, frame, 0, NULL, 0);
	case KVMI_VCPU_CONTROL_SINGLESTEP:
		guest.stepping[frame->body[0]] = frame->body[8];
		return script_reply(fd, frame, 0, NULL, 0);
	case KVMI_VCPU_TRANSLATE_GVA:
		memcpy(&gva, frame->body + 8, sizeof(gva));
		gpa.gpa = gva < memory->size ? gva : UINT64_MAX;
		return script_reply(fd, frame, 0, &gpa, sizeof(gpa));
	default:
		return script_reply(fd, frame, -KVM_ENOSYS, NULL, 0);
	}
}

static int answer_pause(int fd, const struct frame *frame)
{
	if (frame->body[0] > 1)
		return script_reply(fd, frame, -KVM_EINVAL, NULL, 0);
	if (script_reply(fd, frame, 0, NULL, 0))
		return -EPIPE;
	return script_vcpu_event(fd, ++guest.seq, frame->body[0],
				 KVMI_VCPU_EVENT_PAUSE, NULL, 0);
}

/* An INT3 that is written is soon executed. */
static int answer_write(int fd, const struct frame *frame,
			const struct peer_memory *memory)
{
	struct kvmi_vm_read_physical req;
	int err = answer_memory(fd, frame, memory);

	memcpy(&req, frame->body, sizeof(req));
	if (err || req.size != 1 || frame->body[sizeof(req)] != 0xcc ||
	    !guest.breakpoints)
		return err;
	guest.point = req.gpa;
	return report_breakpoint(fd, memory);
}

int peer_answer(int fd, const struct peer_memory *memory)
{
	const struct kvmi_vm_get_max_gfn_reply gfn = { memory->size / 4096 };
	const struct kvmi_vm_get_info_reply info = { .vcpu_count = 2 };
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	switch (frame.hdr.id) {
	case KVMI_GET_VERSION:
		return answer_version(fd, &frame, memory);
	case KVMI_VM_CHECK_COMMAND:
	case KVMI_VM_CHECK_EVENT:
		return answer_check(fd, &frame);
	case KVMI_VM_GET_INFO:
		return script_reply(fd, &frame, 0, &info, sizeof(info));
	case KVMI_VM_GET_MAX_GFN:
		return script_reply(fd, &frame, 0, &gfn, sizeof(gfn));
	case KVMI_VM_READ_PHYSICAL:
		return answer_memory(fd, &frame, memory);
	case KVMI_VM_WRITE_PHYSICAL:
		return answer_write(fd, &frame, memory);
	case KVMI_VM_PAUSE_VCPU:
		return answer_pause(fd, &frame);
	case KVMI_VCPU_EVENT:
		return answer_event_reply(fd, &frame, memory);
	case KVMI_VM_SET_PAGE_ACCESS:
	case KVMI_VM_CONTROL_EVENTS:
	case KVMI_VM_CONTROL_CLEANUP:
		return script_reply(fd, &frame, 0, NULL, 0);
	default:
		if (frame.hdr.id & 1)
			return answer_vcpu(fd, &frame, memory);
		return script_reply(fd, &frame, -KVM_ENOSYS, NULL, 0);
	}
}

void peer_serve(int fd, const struct peer_memory *memory)
{
	memset(&guest, 0, sizeof(guest));
	while (!peer_answer(fd, memory))
		;
}
