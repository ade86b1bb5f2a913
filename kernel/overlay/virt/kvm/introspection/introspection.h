/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection: the private header of the common code.
 *
 * struct kvmi_vm lives from the first HOOK to the end of the VM, so that
 * readers need no reference. struct kvmi_session is what one HOOK made; it ends
 * with UNHOOK or with the VM. struct kvmi_vcpu lives as long as its vCPU.
 */
#ifndef __KVMI_INTROSPECTION_H
#define __KVMI_INTROSPECTION_H

#include <linux/minmax.h>
#include <linux/workqueue.h>
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>
#include <kvmi/table.h>

/* Limits of the ids, those of VMs and of vCPUs taken together. */
#define KVMI_NUM_MESSAGES MAX((int)KVMI_NEXT_VM_MESSAGE, \
			      (int)KVMI_NEXT_VCPU_MESSAGE)
#define KVMI_PAGE_ACCESS_ALL \
	(KVMI_PAGE_ACCESS_R | KVMI_PAGE_ACCESS_W | KVMI_PAGE_ACCESS_X)
#define KVMI_NUM_EVENTS MAX((int)KVMI_NEXT_VM_EVENT, \
			    (int)KVMI_NEXT_VCPU_EVENT)

/* One message as it is on the wire; kvmi_dispatch() says what is zero. */
struct kvmi_msg {
	struct kvmi_msg_hdr hdr;
	u8 data[KVMI_MAX_MSG_SIZE];
};

/* Written by the receive thread, or under the lock named. */
struct kvmi_counters {
	u64 sessions;		/* kvmi_vm.lock */
	u64 commands;
	u64 errors;		/* kvmi_session.send_lock */
	u64 events;		/* kvmi_session.send_lock */
	u64 read_bytes;
	u64 written_bytes;
	atomic_t zaps;		/* of translations that had to be flushed */
	atomic_t zap_flushes;
	atomic_t view_switches;	/* of a vCPU, to the step view or back */
	atomic_t view_flushes;
};

struct kvmi_vm {
	struct kvm *kvm;
	struct mutex lock;	/* serialises the ioctls; guards session */
	struct mutex view_lock;	/* whose vCPU is in the step view */
	spinlock_t session_lock;	/* for a look at session without lock */
	struct kvmi_session *session;
	bool hooking;			/* HOOK decides; see kvmi_vm_state() */
	u32 generation;			/* of the newest session */
	struct kvmi_counters counters;
	struct dentry *debugfs;
	struct xarray access;	/* by gfn; see access.c */
};

/* What the device manager allows; bits are changed while commands run. */
struct kvmi_policy {
	DECLARE_BITMAP(commands, KVMI_NUM_MESSAGES);
	DECLARE_BITMAP(events, KVMI_NUM_EVENTS);
};

struct kvmi_session {
	struct kvmi_vm *kvmi;
	struct kvm *kvm;
	u8 uuid[16];
	struct kvmi_policy policy;

	struct socket *sock;
	/* One message at a time; guards event_seq and backlog. */
	struct mutex send_lock;
	u32 event_seq;
	struct list_head backlog;	/* not taken by the peer yet */
	size_t backlog_size;		/* bytes */
	struct work_struct backlog_work;
	wait_queue_head_t backlog_room;

	struct task_struct *receiver;
	struct completion closed;	/* the receiver reads no more */
	struct kvmi_msg *in;		/* the receiver's alone, as is out */
	struct kvmi_msg *out;

	/*
	 * A vCPU that works for the session holds a user of it. The first one
	 * is the session's own and goes with kvmi_session_close(), after which
	 * no vCPU can become one.
	 */
	refcount_t users;
	bool closed_to_users;		/* kvmi_vm.session_lock */
	struct completion unused;
	u32 generation;

	DECLARE_BITMAP(enabled_events, KVMI_NUM_EVENTS);	/* of the VM */
	bool cleanup;		/* the tool's word for CONTROL_CLEANUP */
};

/*
 * Work for a vCPU, done with vcpu->mutex held and the vCPU loaded: by its own
 * thread in KVM_RUN, or by whoever finds it outside.
 */
struct kvmi_job {
	struct list_head link;
	void (*run)(struct kvm_vcpu *vcpu, struct kvmi_job *job);
};

enum kvmi_pending_state {
	KVMI_PENDING_NONE,
	KVMI_PENDING_SENT,	/* the tool has the event */
	KVMI_PENDING_ANSWERED,	/* the reply is here and has no effect yet */
	KVMI_PENDING_REPEAT,	/* the instruction is repeated to take it */
};

#define KVMI_EVENT_REPLY_MAX	8

/*
 * The one event that a vCPU can have in the hands of the tool. It outlives
 * KVM_RUN: a vCPU that leaves on a signal comes back to it.
 */
struct kvmi_pending {
	enum kvmi_pending_state state;
	u16 event;
	u32 seq;
	unsigned long rip;	/* linear, of the instruction */
	u64 key;		/* tells events of one kind and rip apart */
	size_t reply_size;	/* of the event's own reply data */
	u8 action;
	u8 reply[KVMI_EVENT_REPLY_MAX];
	bool set_regs;
	struct kvm_regs regs;
};

/* What VCPU_INJECT_EXCEPTION asked for; its state is kvm_vcpu.kvmi_injection. */
struct kvmi_exception {
	u8 nr;
	u32 error_code;
	u64 address;
	unsigned long rip;	/* linear, where it is due */
	bool anywhere;		/* another event goes before it */
	bool keeps_rip;		/* a soft one without its instruction */
};

/* Accesses of restricted pages that the tool allowed to one instruction. */
#define KVMI_GRANTS_MAX	32

struct kvmi_grants {
	unsigned long rip;	/* linear, of the instruction */
	unsigned int n;
	struct {
		gfn_t gfn;
		u8 access;
	} grant[KVMI_GRANTS_MAX];
};

/* What maps the guest's memory for a vCPU; see arch/x86/kvm/introspection. */
enum kvmi_view {
	KVMI_VIEW_NORMAL,
	KVMI_VIEW_WANTED,	/* for what is done at kvmi_grants.rip */
	KVMI_VIEW_STEP,		/* its grants are open to the processor */
};

/* A vCPU that goes by single instructions, while kvm_vcpu.kvmi_steps. */
struct kvmi_step {
	bool on;		/* VCPU_CONTROL_SINGLESTEP */
	enum kvmi_view view;
	bool delivery;		/* the view is for an event, not for an insn */
	bool done;		/* executed, or what came in place of it */
	bool failed;		/* given up, for the reply to another event */
};

/* What kvmi_arch_step_begin() returns when no entry to the guest is needed. */
#define KVMI_STEP_TAKEN	2

/* Late replies to events that are over; more than one needs a stopped VM. */
#define KVMI_OVER_MAX	8

struct kvmi_vcpu {
	spinlock_t job_lock;	/* guards jobs and nr_jobs */
	struct list_head jobs;
	unsigned int nr_jobs;
	atomic_t pauses;	/* PAUSE events owed */
	struct rcuwait wait;	/* the vCPU's thread, while a tool thinks */
	u32 release;		/* generation of the session to undo; 0: none */

	/* The rest belongs to the holder of vcpu->mutex. */
	u32 generation;		/* the session that set it */
	DECLARE_BITMAP(events, KVMI_NUM_EVENTS);
	unsigned long watched_crs;	/* BIT(0), BIT(3), BIT(4) */
	unsigned long *watched_msrs;	/* NULL until the first one */
	struct kvmi_pending pending;
	struct kvmi_exception exception;
	struct kvmi_grants grants;
	struct kvmi_step step;
	struct kvmi_step_arch step_arch;
	u64 fault_gpa;		/* the last one of a restricted page */
	u64 fault_gva;		/* INVALID_GPA if the processor does not tell */
	u8 fault_access;
	bool skips;		/* the emulator fetches to skip only */
	unsigned long hypercall_rip;	/* linear, for kvm_vcpu.kvmi_hypercall */
	u32 over[KVMI_OVER_MAX];
	unsigned int nr_over;
	bool gave_breakpoint;	/* a #BP, at this RIP, after its event */
	unsigned long breakpoint_rip;
	bool crash;		/* end KVM_RUN with KVM_EXIT_SHUTDOWN */
	bool abort_insn;	/* the emulator must forget the instruction */
	bool refresh_due;	/* an interception stays for pending alone */
};

/* What a hook does after its event. */
enum kvmi_verdict {
	KVMI_VERDICT_NONE,	/* there was no event: plain KVM */
	KVMI_VERDICT_CONTINUE,	/* go on with the reply's data */
	KVMI_VERDICT_GIVE_UP,	/* leave the instruction without effect */
};

struct kvmi_event_args {
	u16 event;
	u64 key;
	const void *data;
	size_t size;
	size_t reply_size;
	bool emulated;		/* in the emulator, which caches registers */
	bool no_repeat;		/* nothing can be given up: wait killably */
};

/* main.c */
extern struct workqueue_struct *kvmi_workqueue;
extern struct kmem_cache *kvmi_vm_cache;
extern struct kmem_cache *kvmi_session_cache;
extern struct kmem_cache *kvmi_vcpu_cache;
extern struct kmem_cache *kvmi_msg_cache;
bool kvmi_enabled(void);

/* policy.c */
void kvmi_policy_init(struct kvmi_policy *policy);
int kvmi_policy_check(unsigned int ioctl,
		      const struct kvm_introspection_feature *feature);
int kvmi_policy_set(struct kvmi_session *session, unsigned int ioctl,
		    const struct kvm_introspection_feature *feature);

/* session.c */
struct kvmi_session *kvmi_session_create(struct kvmi_vm *kvmi, int fd,
					 const u8 *uuid);
struct kvmi_session *kvmi_session_get(struct kvm *kvm);
bool kvmi_session_hold(struct kvmi_session *session);
void kvmi_session_put(struct kvmi_session *session);
bool kvmi_session_is_closed(struct kvmi_session *session);
void kvmi_session_close(struct kvmi_session *session);
void kvmi_session_discard(struct kvmi_session *session);
int kvmi_session_stop(struct kvmi_session *session);
void kvmi_session_end(struct kvmi_session *session);

/* channel.c */
struct socket *kvmi_channel_get(int fd);
void kvmi_channel_put(struct socket *sock);
void kvmi_channel_close(struct kvmi_session *session);
void kvmi_channel_drain(struct kvmi_session *session);
int kvmi_channel_receive(struct kvmi_session *session, void *buf, size_t size);
int kvmi_channel_send_bytes(struct kvmi_session *session, const void *data,
			    size_t size);
int kvmi_channel_send(struct kvmi_session *session, const struct kvec *vec,
		      size_t n);

/* backlog.c */
void kvmi_backlog_init(struct kvmi_session *session);
void kvmi_backlog_end(struct kvmi_session *session);
bool kvmi_backlog_is_empty(struct kvmi_session *session);
int kvmi_backlog_add(struct kvmi_session *session, const struct kvec *vec,
		     size_t n, size_t size, size_t sent);
int kvmi_backlog_wait(struct kvmi_session *session);

/* receive.c */
int kvmi_receive_thread(void *data);

/* dispatch.c */
bool kvmi_command_known(u16 id);
int kvmi_dispatch(struct kvmi_session *session, struct kvmi_msg *msg);
int kvmi_reply(struct kvmi_session *session, const struct kvmi_msg *msg,
	       int err, const void *data, size_t size);

/* handle_##stem() of each message: in vm.c, vcpu.c and the architecture */
#define HANDLE_VM(stem) \
	int handle_##stem(struct kvmi_session *session, \
			  const struct kvmi_msg *msg);
#define HANDLE_VCPU(stem) \
	int handle_##stem(struct kvmi_session *session, \
			  struct kvm_vcpu *vcpu, const struct kvmi_msg *msg);
#define M(NAME, stem, scope, ...) HANDLE_##scope(stem)
KVMI_MESSAGES(M)
#undef M
#undef HANDLE_VCPU
#undef HANDLE_VM

/* event.c */
bool kvmi_event_known(u16 id);
bool kvmi_event_is_vm(u16 id);
int kvmi_event_control(struct kvmi_session *session, u16 id, bool enable);
int kvmi_event_send_unhook(struct kvmi_session *session);

/* memory.c */
bool kvmi_memory_valid(u64 gpa, size_t size);
bool kvmi_memory_begin(struct kvm *kvm);
void kvmi_memory_end(struct kvm *kvm);
int kvmi_memory_read(struct kvmi_session *session, gpa_t gpa, void *data,
		     size_t size);
int kvmi_memory_write(struct kvmi_session *session, gpa_t gpa,
		      const void *data, size_t size);
gfn_t kvmi_memory_max_gfn(struct kvm *kvm);

bool kvmi_memory_visible(struct kvm *kvm, gfn_t gfn);

/* access.c */
u8 kvmi_access_get(struct kvm *kvm, gfn_t gfn);
bool kvmi_access_restricted(struct kvm *kvm, gfn_t first, gfn_t last);
bool kvmi_access_any(struct kvm *kvm);
void kvmi_access_clear(struct kvmi_session *session);

/* dirty.c */
bool kvmi_dirty_can_mark(struct kvm *kvm);
int kvmi_dirty_mark(struct kvm *kvm, gfn_t gfn);

/* job.c */
void kvmi_job_init(struct kvmi_vcpu *vcpui);
void kvmi_job_queue(struct kvm_vcpu *vcpu, struct kvmi_job *job);
bool kvmi_job_withdraw(struct kvm_vcpu *vcpu, struct kvmi_job *job);
void kvmi_job_run_all(struct kvm_vcpu *vcpu);
int kvmi_job_queue_message(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			   const struct kvmi_msg *msg, size_t size,
			   int (*handle)(struct kvmi_session *session,
					 struct kvm_vcpu *vcpu,
					 const struct kvmi_msg *msg));

/* vcpu.c */
struct kvm_vcpu *kvmi_vcpu_find(struct kvmi_session *session, u16 index);
void kvmi_vcpu_serve_outside(struct kvm_vcpu *vcpu);
void kvmi_vcpu_adopt(struct kvm_vcpu *vcpu, struct kvmi_session *session);
void kvmi_vcpu_release_all(struct kvmi_session *session);
void kvmi_vcpu_forget_pauses(struct kvm *kvm);
void kvmi_vcpu_refresh_soon(struct kvm_vcpu *vcpu);
bool kvmi_vcpu_event_wanted(struct kvmi_session *session,
			    struct kvm_vcpu *vcpu, u16 event);

/* wait.c */
enum kvmi_verdict kvmi_vcpu_event(struct kvm_vcpu *vcpu,
				  const struct kvmi_event_args *args,
				  void *reply);
int kvmi_pending_resume(struct kvm_vcpu *vcpu, struct kvmi_session *session);
void kvmi_pending_forget(struct kvm_vcpu *vcpu);
void kvmi_pending_end(struct kvm_vcpu *vcpu);
int kvmi_between(struct kvm_vcpu *vcpu, struct kvmi_session *session);
void kvmi_pending_again(struct kvm_vcpu *vcpu, u16 event);
bool kvmi_pending_is(struct kvm_vcpu *vcpu, u16 event, u64 key);
void kvmi_interception_changed(struct kvm_vcpu *vcpu);

/* vcpu_event.c */
int kvmi_vcpu_event_send(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			 const struct kvmi_event_args *args, u32 *seq);
int kvmi_vcpu_event_reply(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			  const struct kvmi_msg *msg);
bool kvmi_vcpu_event_known(u16 id);

/* counters.c */
void kvmi_counters_create(struct kvmi_vm *kvmi);
void kvmi_counters_destroy(struct kvmi_vm *kvmi);

/* arch/x86/kvm/introspection */
int kvmi_arch_vm_supported(struct kvm *kvm);
void kvmi_queue_exception_later(struct kvm_vcpu *vcpu);
bool kvmi_arch_in_nested_guest(struct kvm *kvm);
bool kvmi_arch_vcpu_ready(struct kvm_vcpu *vcpu);
bool kvmi_arch_vcpu_introspectable(struct kvm_vcpu *vcpu);
void kvmi_arch_vcpu_refresh(struct kvm_vcpu *vcpu);
void kvmi_arch_interrupts_held(struct kvm_vcpu *vcpu, bool held);
bool kvmi_arch_event_supported(u16 id);
bool kvmi_arch_access_valid(u8 access);
void kvmi_arch_access_changed(struct kvm *kvm, const gfn_t *gfns,
			      unsigned int n);
unsigned long kvmi_arch_rip(struct kvm_vcpu *vcpu);
u64 kvmi_arch_gva_to_gpa(struct kvm_vcpu *vcpu, u64 gva);
void kvmi_arch_event_fill(struct kvm_vcpu *vcpu,
			  struct kvmi_vcpu_event_arch *arch);
bool kvmi_arch_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs);
bool kvmi_arch_trap_due(struct kvm_vcpu *vcpu,
			struct kvmi_vcpu_event_trap *event);
void kvmi_arch_trap_sent(struct kvm_vcpu *vcpu);
void kvmi_arch_trap_done(struct kvm_vcpu *vcpu);
void kvmi_arch_trap_end(struct kvm_vcpu *vcpu);
void kvmi_drop_exception(struct kvm_vcpu *vcpu);
bool kvmi_arch_step_supported(void);
bool kvmi_arch_step_due(struct kvm_vcpu *vcpu,
			struct kvmi_vcpu_event_singlestep *event);
int kvmi_arch_step_begin(struct kvm_vcpu *vcpu);
void kvmi_arch_step_end(struct kvm_vcpu *vcpu);
void kvmi_arch_view_check(struct kvm_vcpu *vcpu);
void kvmi_arch_view_suspend(struct kvm_vcpu *vcpu);
void kvmi_arch_insn_given_up(struct kvm_vcpu *vcpu);

#endif /* __KVMI_INTROSPECTION_H */
