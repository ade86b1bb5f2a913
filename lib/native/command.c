// SPDX-License-Identifier: LGPL-2.1-or-later
/* Commands for the VM: one function for each message, one to one. */
#include <errno.h>

#include "clock.h"
#include "command.h"

/* Says who did not answer: what to do about it depends on that. */
static void log_timeout(const struct kvmi_vm *vm, const struct call *call)
{
	const char *name = kvmi_command_name(call->hdr.id);
	int vcpu = failure_vcpu(call->hdr.id, call->body[0].iov_base,
				call->body[0].iov_len);

	if (!(call->hdr.id & 1) || vcpu < 0) {
		log_say(&vm->opts.log, KVMI_LOG_ERROR,
			"no answer to command %s (%u) in time",
			name ? name : "unknown", call->hdr.id);
		return;
	}
	log_say(&vm->opts.log, KVMI_LOG_ERROR,
		"vCPU %d did not answer command %s (%u) in time; is the VM stopped?",
		vcpu, name ? name : "unknown", call->hdr.id);
}

static int send_call(struct kvmi_vm *vm, struct call *call)
{
	int64_t deadline;
	int err;

	do {
		deadline = vm_deadline(vm);
		err = channel_start(&vm->channel, call, 1, deadline);
		if (!err)
			err = channel_finish(&vm->channel, call, 1, deadline);
		if (!err)
			err = call->err;
	} while (vm_should_retry(vm, err));

	if (err == -ETIMEDOUT)
		log_timeout(vm, call);
	return err;
}

static int fail(struct kvmi_vm *vm, const struct call *call, int err)
{
	return vm_fail(vm, err, failure_of(call->hdr.id,
					   call->body[0].iov_base,
					   call->body[0].iov_len));
}

int command_refuse(struct kvmi_vm *vm, unsigned int id, int vcpu)
{
	struct failure what = failure_of(id, NULL, 0);

	what.vcpu = vcpu;
	return vm_fail(vm, -EINVAL, what);
}

int kvmi_vm_command(struct kvmi_vm *vm, unsigned int id, const void *request,
		    size_t request_size, void *reply, size_t *reply_size)
{
	struct call call = {
		.hdr = { .id = (uint16_t)id, .size = (uint16_t)request_size },
		.body[0] = { (void *)request, request_size },
		.reply = reply,
		.reply_room = reply_size ? *reply_size : 0,
	};
	int err;

	if (id <= KVMI_VCPU_EVENT || id > UINT16_MAX ||
	    request_size > KVMI_MAX_MSG_SIZE)
		return vm_fail(vm, -EINVAL, failure_of(id, NULL, 0));

	err = send_call(vm, &call);
	if (reply_size)
		*reply_size = err ? 0 : call.reply_size;
	if (!err && call.reply_size > call.reply_room)
		err = -EMSGSIZE;
	return fail(vm, &call, err);
}

int command_run(struct kvmi_vm *vm, struct call *call, struct answer answer)
{
	int err;

	call->hdr.size = (uint16_t)(call->body[0].iov_len +
				    call->body[1].iov_len);
	call->reply = answer.data;
	call->reply_room = answer.size;
	err = send_call(vm, call);
	if (err || call->reply_size >= answer.size)
		return fail(vm, call, err);

	log_say(&vm->opts.log, KVMI_LOG_ERROR,
		"answer to command %u has %zu bytes instead of %zu",
		call->hdr.id, call->reply_size, answer.size);
	channel_breach(&vm->channel);
	return fail(vm, call, -EPROTO);
}

static int command(struct kvmi_vm *vm, unsigned int id, const void *request,
		   size_t request_size, struct answer answer)
{
	struct call call = {
		.hdr.id = (uint16_t)id,
		.body[0] = { (void *)request, request_size },
	};

	return command_run(vm, &call, answer);
}

int kvmi_get_version(struct kvmi_vm *vm, struct kvmi_get_version_reply *reply)
{
	return command(vm, KVMI_GET_VERSION, NULL, 0, ANSWER(reply));
}

int kvmi_vm_check_command(struct kvmi_vm *vm, unsigned int id)
{
	struct kvmi_vm_check_command req = { .id = (uint16_t)id };

	if (id > UINT16_MAX)
		return command_refuse(vm, KVMI_VM_CHECK_COMMAND, -1);
	return command(vm, KVMI_VM_CHECK_COMMAND, &req, sizeof(req), NO_ANSWER);
}

int kvmi_vm_check_event(struct kvmi_vm *vm, unsigned int id)
{
	struct kvmi_vm_check_event req = { .id = (uint16_t)id };

	if (id > UINT16_MAX)
		return command_refuse(vm, KVMI_VM_CHECK_EVENT, -1);
	return command(vm, KVMI_VM_CHECK_EVENT, &req, sizeof(req), NO_ANSWER);
}

int kvmi_vm_get_info(struct kvmi_vm *vm, struct kvmi_vm_get_info_reply *reply)
{
	return command(vm, KVMI_VM_GET_INFO, NULL, 0, ANSWER(reply));
}

int kvmi_vm_control_events(struct kvmi_vm *vm, unsigned int id, bool enable)
{
	struct kvmi_vm_control_events req = {
		.event_id = (uint16_t)id,
		.enable = enable,
	};

	if (id > UINT16_MAX)
		return command_refuse(vm, KVMI_VM_CONTROL_EVENTS, -1);
	return command(vm, KVMI_VM_CONTROL_EVENTS, &req, sizeof(req),
		       NO_ANSWER);
}

int kvmi_vm_control_cleanup(struct kvmi_vm *vm, bool enable)
{
	struct kvmi_vm_control_cleanup req = { .enable = enable };

	return command(vm, KVMI_VM_CONTROL_CLEANUP, &req, sizeof(req),
		       NO_ANSWER);
}

int kvmi_vm_get_max_gfn(struct kvmi_vm *vm, uint64_t *gfn)
{
	struct kvmi_vm_get_max_gfn_reply reply;
	int err;

	err = command(vm, KVMI_VM_GET_MAX_GFN, NULL, 0, ANSWER(&reply));
	if (!err)
		*gfn = reply.gfn;
	return err;
}

int kvmi_vm_pause_vcpu(struct kvmi_vm *vm, unsigned int vcpu, bool wait)
{
	struct kvmi_vm_pause_vcpu req = {
		.vcpu = (uint16_t)vcpu,
		.wait = wait,
	};

	if (vcpu > UINT16_MAX)
		return command_refuse(vm, KVMI_VM_PAUSE_VCPU, (int)vcpu);
	return command(vm, KVMI_VM_PAUSE_VCPU, &req, sizeof(req), NO_ANSWER);
}

int kvmi_vm_set_page_access(struct kvmi_vm *vm,
			    const struct kvmi_page_access_entry *entries,
			    size_t count)
{
	struct kvmi_vm_set_page_access head = { .count = (uint16_t)count };
	struct call call = {
		.hdr.id = KVMI_VM_SET_PAGE_ACCESS,
		.body[0] = { &head, sizeof(head) },
		.body[1] = { (void *)entries, count * sizeof(*entries) },
	};

	if (count > KVMI_PAGES_MAX)
		return command_refuse(vm, KVMI_VM_SET_PAGE_ACCESS, -1);
	return command_run(vm, &call, NO_ANSWER);
}
