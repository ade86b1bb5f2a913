// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the commands about the VM, run by the receive thread.
 */
#include "introspection.h"

static int reply_code(struct kvmi_session *session, const struct kvmi_msg *msg,
		      int err)
{
	return kvmi_reply(session, msg, err, NULL, 0);
}

static bool is_zero(const u8 *padding, size_t size)
{
	return !memchr_inv(padding, 0, size);
}

int handle_get_version(struct kvmi_session *session, const struct kvmi_msg *msg)
{
	struct kvmi_get_version_reply rpl = {
		.version = KVMI_VERSION,
		.max_msg_size = KVMI_MAX_MSG_SIZE,
		.features.singlestep = kvmi_arch_step_supported(),
	};

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}

int handle_vm_check_command(struct kvmi_session *session,
			    const struct kvmi_msg *msg)
{
	const struct kvmi_vm_check_command *req = (const void *)msg->data;
	int err = 0;

	if (req->padding1 || req->padding2)
		err = -KVM_EINVAL;
	else if (!kvmi_command_known(req->id))
		err = -KVM_ENOENT;
	else if (!test_bit(req->id, session->policy.commands))
		err = -KVM_EPERM;

	return reply_code(session, msg, err);
}

int handle_vm_check_event(struct kvmi_session *session,
			  const struct kvmi_msg *msg)
{
	const struct kvmi_vm_check_event *req = (const void *)msg->data;
	int err = 0;

	if (req->padding1 || req->padding2)
		err = -KVM_EINVAL;
	else if (!kvmi_event_known(req->id))
		err = -KVM_ENOENT;
	else if (!test_bit(req->id, session->policy.events))
		err = -KVM_EPERM;

	return reply_code(session, msg, err);
}

int handle_vm_get_info(struct kvmi_session *session, const struct kvmi_msg *msg)
{
	struct kvmi_vm_get_info_reply rpl = {
		.vcpu_count = atomic_read(&session->kvm->online_vcpus),
	};

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}

int handle_vm_control_events(struct kvmi_session *session,
			     const struct kvmi_msg *msg)
{
	const struct kvmi_vm_control_events *req = (const void *)msg->data;
	int err;

	if (req->padding1 || req->padding2 || req->enable > 1)
		err = -KVM_EINVAL;
	else if (!kvmi_event_is_vm(req->event_id))
		err = -KVM_EINVAL;
	else
		err = kvmi_event_control(session, req->event_id, req->enable);

	return reply_code(session, msg, err);
}

int handle_vm_read_physical(struct kvmi_session *session,
			    const struct kvmi_msg *msg)
{
	const struct kvmi_vm_read_physical *req = (const void *)msg->data;
	int err;

	if (req->padding1 || req->padding2 ||
	    !kvmi_memory_valid(req->gpa, req->size))
		return reply_code(session, msg, -KVM_EINVAL);

	err = kvmi_memory_read(session, req->gpa, session->out->data,
			       req->size);

	return kvmi_reply(session, msg, err, session->out->data, req->size);
}

int handle_vm_write_physical(struct kvmi_session *session,
			     const struct kvmi_msg *msg)
{
	const struct kvmi_vm_write_physical *req = (const void *)msg->data;
	int err;

	/* A command that promises more than it brings ends the session. */
	if (req->size && msg->hdr.size < sizeof(*req) + req->size)
		return -EPROTO;

	if (req->padding1 || req->padding2 ||
	    !kvmi_memory_valid(req->gpa, req->size))
		return reply_code(session, msg, -KVM_EINVAL);

	err = kvmi_memory_write(session, req->gpa, req->data, req->size);

	return reply_code(session, msg, err);
}

int handle_vm_control_cleanup(struct kvmi_session *session,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vm_control_cleanup *req = (const void *)msg->data;

	if (req->enable > 1 || !is_zero(req->padding, sizeof(req->padding)))
		return reply_code(session, msg, -KVM_EINVAL);

	session->cleanup = req->enable;

	return reply_code(session, msg, 0);
}

int handle_vm_get_max_gfn(struct kvmi_session *session,
			  const struct kvmi_msg *msg)
{
	struct kvmi_vm_get_max_gfn_reply rpl = {
		.gfn = kvmi_memory_max_gfn(session->kvm),
	};

	return kvmi_reply(session, msg, 0, &rpl, sizeof(rpl));
}
