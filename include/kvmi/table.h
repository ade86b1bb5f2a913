/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR LGPL-2.1+ */
/*
 * KVMI: the one table of messages, events, ioctls and closing rules.
 *
 * The kernel's dispatch and permissions, QEMU's and the tools' names, the
 * trace events and the list of what tests must prove are all made from these
 * lists. To add a message: move or write its row here, its handler in the
 * kernel, its function in the library, its test and its page.
 *
 * KVMI_MESSAGES(M)  M(NAME, stem, scope, request, reply, flags, errors)
 *	NAME	the id is KVMI_##NAME
 *	stem	the kernel handler is handle_##stem, the library function
 *		kvmi_##stem, the name for people has dashes for underscores
 *	scope	VM or VCPU
 *	request	bytes of the fixed part of the command, without the message
 *		header and without struct kvmi_vcpu_hdr
 *	reply	bytes of the fixed part of the reply, without the error code
 *	flags	ALWAYS: cannot be disallowed; TAIL: the command or the reply
 *		has a part of variable size
 *	errors	what the command can answer by its own rules, each to be
 *		seen on the wire by a test; the errors that every message
 *		shares are in KVMI_COMMON_ERRORS
 *
 * KVMI_EVENTS(E)  E(NAME, stem, scope, data, reply, actions)
 *	NAME	the id is KVMI_##NAME
 *	data	bytes after struct kvmi_vcpu_event
 *	reply	bytes after struct kvmi_vcpu_event_reply
 *	actions	what a tool may answer
 *
 * The lists called ..._PLANNED hold the rows that the protocol defines and the
 * kernel does not have; a last column more names what brings them. A planned
 * message is answered like an unknown one.
 */
#ifndef _KVMI_TABLE_H
#define _KVMI_TABLE_H

#define KVMI_MESSAGES(M) \
	M(GET_VERSION, get_version, VM, 0, 16, ALWAYS, "") \
	M(VM_CHECK_COMMAND, vm_check_command, VM, 8, 0, ALWAYS, \
	  "EINVAL ENOENT EPERM") \
	M(VM_CHECK_EVENT, vm_check_event, VM, 8, 0, ALWAYS, \
	  "EINVAL ENOENT EPERM") \
	M(VM_GET_INFO, vm_get_info, VM, 0, 16, NONE, "") \
	M(VM_CONTROL_EVENTS, vm_control_events, VM, 8, 0, NONE, \
	  "EINVAL EPERM") \
	M(VM_READ_PHYSICAL, vm_read_physical, VM, 16, 0, TAIL, \
	  "EINVAL ENOENT") \
	M(VM_WRITE_PHYSICAL, vm_write_physical, VM, 16, 0, TAIL, \
	  "EINVAL ENOENT EAGAIN") \
	M(VM_CONTROL_CLEANUP, vm_control_cleanup, VM, 8, 0, NONE, "EINVAL") \
	M(VM_GET_MAX_GFN, vm_get_max_gfn, VM, 0, 8, NONE, "") \
	M(VM_PAUSE_VCPU, vm_pause_vcpu, VM, 8, 0, NONE, \
	  "EINVAL EPERM EBUSY") \
	M(VCPU_GET_INFO, vcpu_get_info, VCPU, 0, 8, NONE, \
	  "") \
	M(VCPU_CONTROL_EVENTS, vcpu_control_events, VCPU, 8, 0, NONE, \
	  "EINVAL EPERM EOPNOTSUPP") \
	M(VCPU_GET_REGISTERS, vcpu_get_registers, VCPU, 8, 472, TAIL, \
	  "EINVAL") \
	M(VCPU_SET_REGISTERS, vcpu_set_registers, VCPU, 144, 0, NONE, \
	  "EINVAL EOPNOTSUPP") \
	M(VCPU_GET_CPUID, vcpu_get_cpuid, VCPU, 8, 16, NONE, \
	  "ENOENT") \
	M(VCPU_CONTROL_CR, vcpu_control_cr, VCPU, 8, 0, NONE, \
	  "EINVAL") \
	M(VCPU_CONTROL_MSR, vcpu_control_msr, VCPU, 8, 0, NONE, \
	  "EINVAL EPERM") \
	M(VCPU_TRANSLATE_GVA, vcpu_translate_gva, VCPU, 8, 8, NONE, \
	  "") \
	M(VCPU_INJECT_EXCEPTION, vcpu_inject_exception, VCPU, 16, 0, NONE, \
	  "EPERM EINVAL EBUSY") \
	M(VCPU_GET_XCR, vcpu_get_xcr, VCPU, 8, 8, NONE, \
	  "EINVAL") \
	M(VCPU_GET_XSAVE, vcpu_get_xsave, VCPU, 0, 4096, NONE, \
	  "") \
	M(VCPU_SET_XSAVE, vcpu_set_xsave, VCPU, 4096, 0, NONE, \
	  "EINVAL") \
	M(VCPU_GET_MTRR_TYPE, vcpu_get_mtrr_type, VCPU, 8, 8, NONE, \
	  "") \
	M(VM_SET_PAGE_ACCESS, vm_set_page_access, VM, 8, 0, TAIL, \
	  "EINVAL") \
	M(VCPU_CONTROL_SINGLESTEP, vcpu_control_singlestep, VCPU, 8, 0, NONE, \
	  "EPERM EINVAL EOPNOTSUPP EBUSY")

#define KVMI_MESSAGES_PLANNED(M)

/* The judgements that come before a message's own rules. */
#define KVMI_COMMON_ERRORS(R) \
	R(unknown_id, "ENOSYS") \
	R(not_allowed, "EPERM") \
	R(vcpu_padding, "EINVAL") \
	R(vcpu_index, "EINVAL") \
	R(vcpu_not_ready, "EAGAIN")

#define KVMI_COMMON_ERRORS_PLANNED(R)

#define KVMI_EVENTS(E) \
	E(VM_EVENT_UNHOOK, unhook, VM, 0, 0, "") \
	E(VCPU_EVENT_PAUSE, pause, VCPU, 0, 0, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_HYPERCALL, hypercall, VCPU, 0, 0, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_BREAKPOINT, breakpoint, VCPU, 16, 0, \
	  "CONTINUE RETRY CRASH") \
	E(VCPU_EVENT_CR, cr, VCPU, 24, 8, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_TRAP, trap, VCPU, 16, 0, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_XSETBV, xsetbv, VCPU, 24, 0, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_DESCRIPTOR, descriptor, VCPU, 8, 0, \
	  "CONTINUE RETRY CRASH") \
	E(VCPU_EVENT_MSR, msr, VCPU, 24, 8, \
	  "CONTINUE CRASH") \
	E(VCPU_EVENT_PF, pf, VCPU, 24, 0, \
	  "CONTINUE RETRY CRASH") \
	E(VCPU_EVENT_SINGLESTEP, singlestep, VCPU, 8, 0, \
	  "CONTINUE CRASH")

#define KVMI_EVENTS_PLANNED(E)

/* KVMI_IOCTLS(I)  I(NAME, errors): KVM_INTROSPECTION_##NAME */
#define KVMI_IOCTLS(I) \
	I(HOOK, "EPERM EFAULT EINVAL EEXIST EOPNOTSUPP EBUSY") \
	I(UNHOOK, "EPERM") \
	I(COMMAND, "EPERM EFAULT EINVAL") \
	I(EVENT, "EPERM EFAULT EINVAL") \
	I(PREUNHOOK, "EPERM EFAULT ENOENT")

/* What shuts the socket down, each to be provoked by a test. */
#define KVMI_CLOSING_RULES(C) \
	C(peer_eof) \
	C(short_header) \
	C(short_body) \
	C(oversize) \
	C(send_failure) \
	C(write_physical_cut) \
	C(set_page_access_cut) \
	C(event_reply_unexpected) \
	C(unhook) \
	C(vm_destroyed) \
	C(event_reply_seq) \
	C(event_reply_length) \
	C(event_reply_padding) \
	C(event_reply_event) \
	C(event_reply_action) \
	C(vcpu_killed)

#define KVMI_CLOSING_RULES_PLANNED(C)

#endif /* _KVMI_TABLE_H */
