// SPDX-License-Identifier: LGPL-2.1-or-later
/* Commands for a vCPU: one function for each message, one to one. */
#include <errno.h>
#include <stdlib.h>

#include "command.h"

static int vcpu_command(struct kvmi_vm *vm, unsigned int vcpu, unsigned int id,
			struct iovec request, struct answer answer)
{
	struct kvmi_vcpu_hdr head = { .vcpu = (uint16_t)vcpu };
	struct call call = {
		.hdr.id = (uint16_t)id,
		.body = { { &head, sizeof(head) }, request },
	};

	if (vcpu > UINT16_MAX)
		return command_refuse(vm, id, (int)vcpu);
	return command_run(vm, &call, answer);
}

#define NO_REQUEST	((struct iovec){ NULL, 0 })
#define REQUEST(p)	((struct iovec){ (void *)(p), sizeof(*(p)) })

int kvmi_vcpu_get_info(struct kvmi_vm *vm, unsigned int vcpu,
		       struct kvmi_vcpu_get_info_reply *reply)
{
	return vcpu_command(vm, vcpu, KVMI_VCPU_GET_INFO, NO_REQUEST,
			    ANSWER(reply));
}

int kvmi_vcpu_control_events(struct kvmi_vm *vm, unsigned int vcpu,
			     unsigned int event, bool enable)
{
	struct kvmi_vcpu_control_events req = {
		.event_id = (uint16_t)event,
		.enable = enable,
	};

	if (event > UINT16_MAX)
		return command_refuse(vm, KVMI_VCPU_CONTROL_EVENTS, (int)vcpu);
	return vcpu_command(vm, vcpu, KVMI_VCPU_CONTROL_EVENTS, REQUEST(&req),
			    NO_ANSWER);
}

/* Room for a request or a reply with the largest list. */
union registers {
	struct kvmi_vcpu_get_registers request;
	struct kvmi_vcpu_get_registers_reply reply;
	uint8_t bytes[KVMI_MAX_MSG_SIZE];
};

/* The kernel answers in the order of the list. */
static int take_msrs(const struct kvmi_vcpu_get_registers_reply *reply,
		     const uint32_t *msrs, size_t count, uint64_t *values)
{
	size_t i;

	if (reply->nmsrs != count)
		return -EPROTO;
	for (i = 0; i < count; i++) {
		if (reply->msrs[i].index != msrs[i])
			return -EPROTO;
		values[i] = reply->msrs[i].data;
	}
	return 0;
}

static int get_registers(struct kvmi_vm *vm, unsigned int vcpu,
			 union registers *room, size_t count)
{
	struct answer answer = {
		room, sizeof(room->reply) + count * sizeof(room->reply.msrs[0]),
	};
	struct iovec request = {
		room, sizeof(room->request) + count * sizeof(uint32_t),
	};

	return vcpu_command(vm, vcpu, KVMI_VCPU_GET_REGISTERS, request, answer);
}

int kvmi_vcpu_get_registers(struct kvmi_vm *vm, unsigned int vcpu,
			    const uint32_t *msrs, size_t count,
			    struct kvmi_vcpu_get_registers_reply *reply,
			    uint64_t *values)
{
	union registers *room;
	int err;

	if (count > KVMI_MSRS_MAX)
		return command_refuse(vm, KVMI_VCPU_GET_REGISTERS, (int)vcpu);
	room = calloc(1, sizeof(*room));
	if (!room)
		return -ENOMEM;

	room->request.nmsrs = (uint16_t)count;
	if (count)
		memcpy(room->request.msrs_idx, msrs, count * sizeof(*msrs));
	err = get_registers(vm, vcpu, room, count);
	if (!err) {
		memcpy(reply, &room->reply, sizeof(*reply));
		err = take_msrs(&room->reply, msrs, count, values);
		if (err)
			channel_breach(&vm->channel);
		vm_fail(vm, err, failure_of(KVMI_VCPU_GET_REGISTERS, &vcpu,
					    sizeof(uint16_t)));
	}

	free(room);
	return err;
}

int kvmi_vcpu_set_registers(struct kvmi_vm *vm, unsigned int vcpu,
			    const struct kvm_regs *regs)
{
	return vcpu_command(vm, vcpu, KVMI_VCPU_SET_REGISTERS, REQUEST(regs),
			    NO_ANSWER);
}

int kvmi_vcpu_get_cpuid(struct kvmi_vm *vm, unsigned int vcpu,
			uint32_t function, uint32_t index,
			struct kvmi_vcpu_get_cpuid_reply *reply)
{
	struct kvmi_vcpu_get_cpuid req = {
		.function = function,
		.index = index,
	};

	return vcpu_command(vm, vcpu, KVMI_VCPU_GET_CPUID, REQUEST(&req),
			    ANSWER(reply));
}

int kvmi_vcpu_control_cr(struct kvmi_vm *vm, unsigned int vcpu,
			 unsigned int cr, bool enable)
{
	struct kvmi_vcpu_control_cr req = {
		.cr = (uint8_t)cr,
		.enable = enable,
	};

	if (cr > UINT8_MAX)
		return command_refuse(vm, KVMI_VCPU_CONTROL_CR, (int)vcpu);
	return vcpu_command(vm, vcpu, KVMI_VCPU_CONTROL_CR, REQUEST(&req),
			    NO_ANSWER);
}

int kvmi_vcpu_inject_exception(struct kvmi_vm *vm, unsigned int vcpu,
			       unsigned int nr, uint32_t error_code,
			       uint64_t address)
{
	struct kvmi_vcpu_inject_exception req = {
		.nr = (uint8_t)nr,
		.error_code = error_code,
		.address = address,
	};

	if (nr > UINT8_MAX)
		return command_refuse(vm, KVMI_VCPU_INJECT_EXCEPTION,
				      (int)vcpu);
	return vcpu_command(vm, vcpu, KVMI_VCPU_INJECT_EXCEPTION,
			    REQUEST(&req), NO_ANSWER);
}

int kvmi_vcpu_get_xcr(struct kvmi_vm *vm, unsigned int vcpu, unsigned int xcr,
		      uint64_t *value)
{
	struct kvmi_vcpu_get_xcr req = { .xcr = (uint8_t)xcr };
	struct kvmi_vcpu_get_xcr_reply reply;
	int err;

	if (xcr > UINT8_MAX)
		return command_refuse(vm, KVMI_VCPU_GET_XCR, (int)vcpu);
	err = vcpu_command(vm, vcpu, KVMI_VCPU_GET_XCR, REQUEST(&req),
			   ANSWER(&reply));
	if (!err)
		*value = reply.value;
	return err;
}

int kvmi_vcpu_get_xsave(struct kvmi_vm *vm, unsigned int vcpu,
			struct kvmi_vcpu_get_xsave_reply *reply)
{
	return vcpu_command(vm, vcpu, KVMI_VCPU_GET_XSAVE, NO_REQUEST,
			    ANSWER(reply));
}

int kvmi_vcpu_set_xsave(struct kvmi_vm *vm, unsigned int vcpu,
			const struct kvmi_vcpu_set_xsave *area)
{
	return vcpu_command(vm, vcpu, KVMI_VCPU_SET_XSAVE, REQUEST(area),
			    NO_ANSWER);
}

int kvmi_vcpu_get_mtrr_type(struct kvmi_vm *vm, unsigned int vcpu,
			    uint64_t gpa, uint8_t *type)
{
	struct kvmi_vcpu_get_mtrr_type req = { .gpa = gpa };
	struct kvmi_vcpu_get_mtrr_type_reply reply;
	int err;

	err = vcpu_command(vm, vcpu, KVMI_VCPU_GET_MTRR_TYPE, REQUEST(&req),
			   ANSWER(&reply));
	if (!err)
		*type = reply.type;
	return err;
}

int kvmi_vcpu_control_msr(struct kvmi_vm *vm, unsigned int vcpu, uint32_t msr,
			  bool enable)
{
	struct kvmi_vcpu_control_msr req = { .msr = msr, .enable = enable };

	return vcpu_command(vm, vcpu, KVMI_VCPU_CONTROL_MSR, REQUEST(&req),
			    NO_ANSWER);
}

int kvmi_vcpu_control_singlestep(struct kvmi_vm *vm, unsigned int vcpu,
				 bool enable)
{
	struct kvmi_vcpu_control_singlestep req = { .enable = enable };

	return vcpu_command(vm, vcpu, KVMI_VCPU_CONTROL_SINGLESTEP,
			    REQUEST(&req), NO_ANSWER);
}

int kvmi_vcpu_translate_gva(struct kvmi_vm *vm, unsigned int vcpu,
			    uint64_t gva, uint64_t *gpa)
{
	struct kvmi_vcpu_translate_gva req = { .gva = gva };
	struct kvmi_vcpu_translate_gva_reply reply;
	int err;

	err = vcpu_command(vm, vcpu, KVMI_VCPU_TRANSLATE_GVA, REQUEST(&req),
			   ANSWER(&reply));
	if (!err)
		*gpa = reply.gpa;
	return err;
}
