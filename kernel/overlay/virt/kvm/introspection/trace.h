/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection: trace events, kvmi:*.
 */
#if !defined(__KVMI_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define __KVMI_TRACE_H

#include <linux/tracepoint.h>
#include <linux/kvm_host.h>
#include <linux/kvmi.h>
#include <kvmi/table.h>

#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvmi

/* The names are the table's. */
#define KVMI_TRACE_NAME(NAME, ...) { KVMI_##NAME, #NAME },
#define KVMI_TRACE_ENUM(NAME, ...) TRACE_DEFINE_ENUM(KVMI_##NAME);

KVMI_MESSAGES(KVMI_TRACE_ENUM)
KVMI_EVENTS(KVMI_TRACE_ENUM)
TRACE_DEFINE_ENUM(KVMI_VCPU_EVENT);

#define kvmi_trace_message(id) \
	__print_symbolic(id, KVMI_MESSAGES(KVMI_TRACE_NAME) \
			 { KVMI_VCPU_EVENT, "VCPU_EVENT" })
#define kvmi_trace_event_name(id) \
	__print_symbolic(id, KVMI_EVENTS(KVMI_TRACE_NAME) { -1, "" })

DECLARE_EVENT_CLASS(kvmi_session,
	TP_PROTO(struct kvm *kvm, const u8 *uuid),
	TP_ARGS(kvm, uuid),
	TP_STRUCT__entry(
		__field(int, pid)
		__array(u8, uuid, 16)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		memcpy(__entry->uuid, uuid, 16);
	),
	TP_printk("vm %d uuid %pUb", __entry->pid, __entry->uuid)
);

DEFINE_EVENT(kvmi_session, kvmi_hook,
	TP_PROTO(struct kvm *kvm, const u8 *uuid),
	TP_ARGS(kvm, uuid)
);

DEFINE_EVENT(kvmi_session, kvmi_unhook,
	TP_PROTO(struct kvm *kvm, const u8 *uuid),
	TP_ARGS(kvm, uuid)
);

TRACE_EVENT(kvmi_command,
	TP_PROTO(struct kvm *kvm, u16 id, u32 seq, u16 size),
	TP_ARGS(kvm, id, seq, size),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(u16, id)
		__field(u16, size)
		__field(u32, seq)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		__entry->id = id;
		__entry->size = size;
		__entry->seq = seq;
	),
	TP_printk("vm %d id %u %s seq %u size %u", __entry->pid, __entry->id,
		  kvmi_trace_message(__entry->id), __entry->seq,
		  __entry->size)
);

TRACE_EVENT(kvmi_reply,
	TP_PROTO(struct kvm *kvm, u16 id, u32 seq, int err),
	TP_ARGS(kvm, id, seq, err),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(u16, id)
		__field(u32, seq)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		__entry->id = id;
		__entry->seq = seq;
		__entry->err = err;
	),
	TP_printk("vm %d id %u %s seq %u err %d", __entry->pid, __entry->id,
		  kvmi_trace_message(__entry->id), __entry->seq, __entry->err)
);

TRACE_EVENT(kvmi_event,
	TP_PROTO(struct kvm *kvm, u16 event, u32 seq),
	TP_ARGS(kvm, event, seq),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(u16, event)
		__field(u32, seq)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		__entry->event = event;
		__entry->seq = seq;
	),
	TP_printk("vm %d event %u %s seq %u", __entry->pid, __entry->event,
		  kvmi_trace_event_name(__entry->event), __entry->seq)
);

TRACE_EVENT(kvmi_event_reply,
	TP_PROTO(struct kvm *kvm, u16 event, u32 seq, u8 action),
	TP_ARGS(kvm, event, seq, action),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(u16, event)
		__field(u32, seq)
		__field(u8, action)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		__entry->event = event;
		__entry->seq = seq;
		__entry->action = action;
	),
	TP_printk("vm %d event %u %s seq %u action %s", __entry->pid,
		  __entry->event, kvmi_trace_event_name(__entry->event),
		  __entry->seq,
		  __print_symbolic(__entry->action,
				   { KVMI_EVENT_ACTION_CONTINUE, "CONTINUE" },
				   { KVMI_EVENT_ACTION_RETRY, "RETRY" },
				   { KVMI_EVENT_ACTION_CRASH, "CRASH" }))
);

TRACE_EVENT(kvmi_close,
	TP_PROTO(struct kvm *kvm, int reason),
	TP_ARGS(kvm, reason),
	TP_STRUCT__entry(
		__field(int, pid)
		__field(int, reason)
	),
	TP_fast_assign(
		__entry->pid = kvm->userspace_pid;
		__entry->reason = reason;
	),
	TP_printk("vm %d reason %d", __entry->pid, __entry->reason)
);

#endif /* __KVMI_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../virt/kvm/introspection
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace

#include <trace/define_trace.h>
