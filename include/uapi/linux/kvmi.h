/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * KVMI: virtual machine introspection for KVM, protocol version 1 ("v10").
 *
 * THE PARTIES
 *
 * The device manager (QEMU) owns a VM. It connects a stream socket to an
 * introspection tool, tells the tool which VM this is (kvmi/handshake.h) and
 * hands the connected socket to KVM with KVM_INTROSPECTION_HOOK. From then on
 * the tool talks to the kernel. There is one socket per VM.
 *
 * THE DEVICE MANAGER'S SIDE: five ioctls on the VM file descriptor
 *
 *   KVM_INTROSPECTION_HOOK       take the socket, start a session
 *   KVM_INTROSPECTION_COMMAND    allow or disallow a command, or all (id -1)
 *   KVM_INTROSPECTION_EVENT      allow or disallow an event, or all (id -1)
 *   KVM_INTROSPECTION_PREUNHOOK  ask the tool to undo its changes and leave
 *   KVM_INTROSPECTION_UNHOOK     end the session
 *
 * KVM_CHECK_EXTENSION(KVM_CAP_INTROSPECTION) returns KVMI_VERSION when the
 * subsystem is there and enabled (module parameter kvm.introspection), else 0.
 * After HOOK the three commands GET_VERSION, VM_CHECK_COMMAND and
 * VM_CHECK_EVENT are allowed, and no event. Permissions end with the session.
 *
 * FRAMES
 *
 * Both directions carry messages: struct kvmi_msg_hdr, then hdr.size bytes,
 * at most KVMI_MAX_MSG_SIZE. Integers are in host byte order, naturally
 * aligned. Padding is zero; a command with other padding is answered with
 * -KVM_EINVAL. A command shorter than its structure is read as if followed by
 * zeros; a longer one is accepted and its tail ignored.
 *
 * COMMANDS AND REPLIES
 *
 * The tool chooses hdr.seq; the reply carries the id and the seq of the
 * command, then struct kvmi_error_code, then (only if err is 0) the reply's
 * data. Even ids are about the VM and are answered by one kernel thread, in
 * order. Odd ids are about one vCPU, begin with struct kvmi_vcpu_hdr, and are
 * answered by the thread of that vCPU: replies for different vCPUs come in any
 * order. The vCPU is named by its index, not by its id.
 *
 * A message is judged in this order: unknown id: -KVM_ENOSYS; not allowed:
 * -KVM_EPERM; for a vCPU message, padding of the vCPU header: -KVM_EINVAL,
 * index of no online vCPU: -KVM_EINVAL, vCPU not yet able to run messages:
 * -KVM_EAGAIN; then by its own rules.
 *
 * EVENTS
 *
 * A message with id KVMI_VM_EVENT or KVMI_VCPU_EVENT from the kernel is an
 * event: struct kvmi_event_hdr tells which. Events are counted by one counter
 * per session, the first has seq 1. A VM event has no reply. For a vCPU event
 * struct kvmi_vcpu_event follows, then data of the event; the vCPU waits until
 * the tool answers with id KVMI_VCPU_EVENT, the seq of the event, struct
 * kvmi_vcpu_hdr, struct kvmi_vcpu_event_reply and data of the reply. While it
 * waits, commands for it are served. A reply that names no vCPU, or one that
 * cannot run messages, is itself answered with an error code under the id
 * KVMI_VCPU_EVENT. A tool must be ready to receive an event
 * while it waits for a reply.
 *
 * WHAT ENDS A SESSION
 *
 * The kernel shuts the socket down, in both directions, on: end of stream or
 * an error of the socket; a size above KVMI_MAX_MSG_SIZE; a reply or event
 * that cannot be sent; a VM_WRITE_PHYSICAL or VM_SET_PAGE_ACCESS whose payload
 * is cut short; an event reply that nobody waits for, or with a wrong seq,
 * length, padding, event or action; UNHOOK; the end of the VM. Everything else
 * is an error code and the session goes on. When the socket is shut down all
 * waiting vCPUs go on; the device manager sees the hang-up and calls UNHOOK.
 *
 * EXTENSIONS
 *
 * Ids 0x8000 to 0xffff are reserved for extensions. An extension is found with
 * VM_CHECK_COMMAND and never changes a message defined here.
 */
#ifndef _UAPI_LINUX_KVMI_H
#define _UAPI_LINUX_KVMI_H

#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/kvm.h>
#include <asm/kvmi.h>

#define KVMI_VERSION		0x00000001
#define KVMI_MSG_SIZE		8192
#define KVMI_MAX_MSG_SIZE	(KVMI_MSG_SIZE - sizeof(struct kvmi_msg_hdr))

/* The device manager's interface. */

/*
 * Numbers of the introspection series up to 206 were given to other
 * capabilities upstream; this one ("KVMI" in ASCII) never will be.
 */
#define KVM_CAP_INTROSPECTION	0x4b564d49

struct kvm_introspection_hook {
	__s32 fd;		/* connected stream socket */
	__u32 padding;
	__u8 uuid[16];		/* for log messages only */
};

struct kvm_introspection_feature {
	__u32 allow;		/* 0 or 1 */
	__s32 id;		/* message or event id, -1 for all */
};

#define KVM_INTROSPECTION_HOOK		_IOW(KVMIO, 0xc8, \
					     struct kvm_introspection_hook)
#define KVM_INTROSPECTION_UNHOOK	_IO(KVMIO, 0xc9)
#define KVM_INTROSPECTION_COMMAND	_IOW(KVMIO, 0xca, \
					     struct kvm_introspection_feature)
#define KVM_INTROSPECTION_EVENT		_IOW(KVMIO, 0xcb, \
					     struct kvm_introspection_feature)
#define KVM_INTROSPECTION_PREUNHOOK	_IO(KVMIO, 0xcc)

/*
 * In kvm_run.flags with KVM_EXIT_SHUTDOWN: a tool answered an event with CRASH;
 * without it the guest came to a triple fault.
 */
#define KVM_RUN_X86_INTROSPECTION_CRASH	0x8000

/* Errors on the wire are these, negated. */
#ifndef KVM_EPERM
#define KVM_EPERM		1
#endif
#ifndef KVM_ENOENT
#define KVM_ENOENT		2
#endif
#ifndef KVM_EAGAIN
#define KVM_EAGAIN		11
#endif
#ifndef KVM_ENOMEM
#define KVM_ENOMEM		12
#endif
#ifndef KVM_EBUSY
#define KVM_EBUSY		16
#endif
#ifndef KVM_EINVAL
#define KVM_EINVAL		22
#endif
#ifndef KVM_EOPNOTSUPP
#define KVM_EOPNOTSUPP		95
#endif
#ifndef KVM_ENOSYS
#define KVM_ENOSYS		1000
#endif

/* The guest's hypercall that raises KVMI_VCPU_EVENT_HYPERCALL. */
#define KVM_HC_XEN_HVM_OP			34
#define KVM_HC_XEN_HVM_OP_GUEST_REQUEST_VM_EVENT	24

#define KVMI_VM_MESSAGE_ID(n)	((n) << 1)
#define KVMI_VCPU_MESSAGE_ID(n)	(((n) << 1) | 1)
#define KVMI_VM_EVENT_ID(n)	((n) << 1)
#define KVMI_VCPU_EVENT_ID(n)	(((n) << 1) | 1)

enum {
	KVMI_VM_EVENT          = KVMI_VM_MESSAGE_ID(0),
	KVMI_GET_VERSION       = KVMI_VM_MESSAGE_ID(1),
	KVMI_VM_CHECK_COMMAND  = KVMI_VM_MESSAGE_ID(2),
	KVMI_VM_CHECK_EVENT    = KVMI_VM_MESSAGE_ID(3),
	KVMI_VM_GET_INFO       = KVMI_VM_MESSAGE_ID(4),
	KVMI_VM_CONTROL_EVENTS = KVMI_VM_MESSAGE_ID(5),
	KVMI_VM_READ_PHYSICAL  = KVMI_VM_MESSAGE_ID(6),
	KVMI_VM_WRITE_PHYSICAL = KVMI_VM_MESSAGE_ID(7),
	KVMI_VM_PAUSE_VCPU     = KVMI_VM_MESSAGE_ID(8),
	KVMI_VM_CONTROL_CLEANUP = KVMI_VM_MESSAGE_ID(9),
	KVMI_VM_GET_MAX_GFN    = KVMI_VM_MESSAGE_ID(10),
	KVMI_VM_SET_PAGE_ACCESS = KVMI_VM_MESSAGE_ID(11),

	KVMI_NEXT_VM_MESSAGE
};

enum {
	KVMI_VCPU_EVENT              = KVMI_VCPU_MESSAGE_ID(0),
	KVMI_VCPU_GET_INFO           = KVMI_VCPU_MESSAGE_ID(1),
	KVMI_VCPU_CONTROL_EVENTS     = KVMI_VCPU_MESSAGE_ID(2),
	KVMI_VCPU_GET_REGISTERS      = KVMI_VCPU_MESSAGE_ID(3),
	KVMI_VCPU_SET_REGISTERS      = KVMI_VCPU_MESSAGE_ID(4),
	KVMI_VCPU_GET_CPUID          = KVMI_VCPU_MESSAGE_ID(5),
	KVMI_VCPU_CONTROL_CR         = KVMI_VCPU_MESSAGE_ID(6),
	KVMI_VCPU_INJECT_EXCEPTION   = KVMI_VCPU_MESSAGE_ID(7),
	KVMI_VCPU_GET_XCR            = KVMI_VCPU_MESSAGE_ID(8),
	KVMI_VCPU_GET_XSAVE          = KVMI_VCPU_MESSAGE_ID(9),
	KVMI_VCPU_SET_XSAVE          = KVMI_VCPU_MESSAGE_ID(10),
	KVMI_VCPU_GET_MTRR_TYPE      = KVMI_VCPU_MESSAGE_ID(11),
	KVMI_VCPU_CONTROL_MSR        = KVMI_VCPU_MESSAGE_ID(12),
	KVMI_VCPU_CONTROL_SINGLESTEP = KVMI_VCPU_MESSAGE_ID(13),
	KVMI_VCPU_TRANSLATE_GVA      = KVMI_VCPU_MESSAGE_ID(14),

	KVMI_NEXT_VCPU_MESSAGE
};

enum {
	KVMI_VM_EVENT_UNHOOK = KVMI_VM_EVENT_ID(0),

	KVMI_NEXT_VM_EVENT
};

enum {
	KVMI_VCPU_EVENT_PAUSE      = KVMI_VCPU_EVENT_ID(0),
	KVMI_VCPU_EVENT_HYPERCALL  = KVMI_VCPU_EVENT_ID(1),
	KVMI_VCPU_EVENT_BREAKPOINT = KVMI_VCPU_EVENT_ID(2),
	KVMI_VCPU_EVENT_CR         = KVMI_VCPU_EVENT_ID(3),
	KVMI_VCPU_EVENT_TRAP       = KVMI_VCPU_EVENT_ID(4),
	KVMI_VCPU_EVENT_XSETBV     = KVMI_VCPU_EVENT_ID(5),
	KVMI_VCPU_EVENT_DESCRIPTOR = KVMI_VCPU_EVENT_ID(6),
	KVMI_VCPU_EVENT_MSR        = KVMI_VCPU_EVENT_ID(7),
	KVMI_VCPU_EVENT_PF         = KVMI_VCPU_EVENT_ID(8),
	KVMI_VCPU_EVENT_SINGLESTEP = KVMI_VCPU_EVENT_ID(9),

	KVMI_NEXT_VCPU_EVENT
};

/* What a tool answers to a vCPU event. */
enum {
	KVMI_EVENT_ACTION_CONTINUE = 0,
	KVMI_EVENT_ACTION_RETRY    = 1,
	KVMI_EVENT_ACTION_CRASH    = 2,
};

enum {
	KVMI_PAGE_ACCESS_R = 1 << 0,
	KVMI_PAGE_ACCESS_W = 1 << 1,
	KVMI_PAGE_ACCESS_X = 1 << 2,
};

struct kvmi_msg_hdr {
	__u16 id;
	__u16 size;		/* of what follows this header, bytes */
	__u32 seq;
};

struct kvmi_error_code {
	__s32 err;		/* 0 or a negated KVM_E... */
	__u32 padding;
};

struct kvmi_vcpu_hdr {
	__u16 vcpu;		/* index */
	__u16 padding1;
	__u32 padding2;
};

struct kvmi_event_hdr {
	__u16 event;
	__u16 padding[3];
};

/* Head of every vCPU event, after struct kvmi_event_hdr. */
struct kvmi_vcpu_event {
	__u16 size;		/* of this structure, bytes */
	__u16 vcpu;
	__u32 padding;
	struct kvmi_vcpu_event_arch arch;
};

/* Answer to a vCPU event, after struct kvmi_vcpu_hdr. */
struct kvmi_vcpu_event_reply {
	__u8 action;
	__u8 event;
	__u16 padding1;
	__u32 padding2;
};

/* GET_VERSION */
struct kvmi_features {
	__u8 singlestep;
	__u8 padding[7];
};

struct kvmi_get_version_reply {
	__u32 version;
	__u32 max_msg_size;
	struct kvmi_features features;
};

struct kvmi_vm_check_command {
	__u16 id;
	__u16 padding1;
	__u32 padding2;
};

struct kvmi_vm_check_event {
	__u16 id;
	__u16 padding1;
	__u32 padding2;
};

struct kvmi_vm_get_info_reply {
	__u32 vcpu_count;	/* online vCPUs */
	__u32 padding[3];
};

struct kvmi_vm_control_events {
	__u16 event_id;
	__u8 enable;
	__u8 padding1;
	__u32 padding2;
};

struct kvmi_vm_read_physical {
	__u64 gpa;
	__u16 size;		/* bytes, 1 to 4096, within one page */
	__u16 padding1;
	__u32 padding2;
};

struct kvmi_vm_write_physical {
	__u64 gpa;
	__u16 size;		/* of data, bytes, 1 to 4096, within one page */
	__u16 padding1;
	__u32 padding2;
	__u8 data[];
};

struct kvmi_vm_pause_vcpu {
	__u16 vcpu;
	__u8 wait;		/* 1: answer when the vCPU has left the guest */
	__u8 padding1;
	__u32 padding2;
};

struct kvmi_vm_control_cleanup {
	__u8 enable;
	__u8 padding[7];
};

struct kvmi_vm_get_max_gfn_reply {
	__u64 gfn;		/* one past the last of writable memory */
};

struct kvmi_page_access_entry {
	__u64 gpa;
	__u8 access;		/* KVMI_PAGE_ACCESS_... */
	__u8 padding[7];
};

struct kvmi_vm_set_page_access {
	__u16 count;
	__u16 padding1;
	__u32 padding2;
	struct kvmi_page_access_entry entries[];
};

struct kvmi_vcpu_get_info_reply {
	__u64 tsc_speed;	/* Hz, 0 if the host cannot scale the TSC */
};

struct kvmi_vcpu_control_events {
	__u16 event_id;
	__u8 enable;
	__u8 padding1;
	__u32 padding2;
};

struct kvmi_vcpu_control_singlestep {
	__u8 enable;
	__u8 padding[7];
};

struct kvmi_vcpu_translate_gva {
	__u64 gva;
};

struct kvmi_vcpu_translate_gva_reply {
	__u64 gpa;		/* ~0 if not mapped */
};

/* Data of the events that are alike on all architectures. */
struct kvmi_vcpu_event_pf {
	__u64 gva;		/* ~0 if not known */
	__u64 gpa;
	__u8 access;		/* the one KVMI_PAGE_ACCESS_... denied */
	__u8 padding1;
	__u16 padding2;
	__u32 padding3;
};

struct kvmi_vcpu_event_singlestep {
	__u8 failed;		/* 1: another event's reply gave the step up */
	__u8 padding[7];
};

#endif /* _UAPI_LINUX_KVMI_H */
