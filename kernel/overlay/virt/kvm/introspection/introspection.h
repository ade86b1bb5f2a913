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
#include <linux/kvmi_host.h>
#include <kvmi/table.h>

/* Limits of the ids, those of VMs and of vCPUs taken together. */
#define KVMI_NUM_MESSAGES MAX((int)KVMI_NEXT_VM_MESSAGE, \
			      (int)KVMI_NEXT_VCPU_MESSAGE)
#define KVMI_NUM_EVENTS MAX((int)KVMI_NEXT_VM_EVENT, \
			    (int)KVMI_NEXT_VCPU_EVENT)

/* One message as it is on the wire; data is zero behind hdr.size. */
struct kvmi_msg {
	struct kvmi_msg_hdr hdr;
	u8 data[KVMI_MAX_MSG_SIZE];
};

/* Written by the receive thread, or under the lock named. */
struct kvmi_counters {
	u64 sessions;		/* kvmi_vm.lock */
	u64 commands;
	u64 errors;
	u64 events;		/* kvmi_session.send_lock */
	u64 read_bytes;
	u64 written_bytes;
};

struct kvmi_vm {
	struct kvm *kvm;
	struct mutex lock;	/* serialises the ioctls; guards session */
	struct kvmi_session *session;
	struct kvmi_counters counters;
	struct dentry *debugfs;
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
	struct mutex send_lock;	/* one message at a time; guards event_seq */
	u32 event_seq;

	struct task_struct *receiver;
	struct completion closed;	/* the receiver reads no more */
	struct kvmi_msg *in;		/* the receiver's alone, as is out */
	struct kvmi_msg *out;

	DECLARE_BITMAP(enabled_events, KVMI_NUM_EVENTS);
	bool cleanup;		/* the tool's word for CONTROL_CLEANUP */
};

/*
 * Work that a vCPU's own thread does at the head of its run loop. It belongs
 * to whoever queued it and waits: a job is never left behind.
 */
struct kvmi_job {
	struct list_head link;
	bool (*run)(struct kvm_vcpu *vcpu, struct kvmi_job *job);
	struct completion done;
	bool result;
};

struct kvmi_vcpu {
	spinlock_t job_lock;	/* guards jobs */
	struct list_head jobs;
};

/* main.c */
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
void kvmi_session_discard(struct kvmi_session *session);
int kvmi_session_stop(struct kvmi_session *session);
void kvmi_session_end(struct kvmi_session *session);

/* channel.c */
struct socket *kvmi_channel_get(int fd);
void kvmi_channel_put(struct socket *sock);
void kvmi_channel_close(struct kvmi_session *session);
void kvmi_channel_drain(struct kvmi_session *session);
int kvmi_channel_receive(struct kvmi_session *session, void *buf, size_t size);
int kvmi_channel_send(struct kvmi_session *session, struct kvec *vec,
		      size_t n, int flags);

/* receive.c */
int kvmi_receive_thread(void *data);

/* dispatch.c */
bool kvmi_command_known(u16 id);
int kvmi_dispatch(struct kvmi_session *session, struct kvmi_msg *msg);
int kvmi_reply(struct kvmi_session *session, const struct kvmi_msg *msg,
	       int err, const void *data, size_t size);

/* handle_##stem() of each message, in vm.c */
#define M(NAME, stem, ...) \
	int handle_##stem(struct kvmi_session *session, \
			  const struct kvmi_msg *msg);
KVMI_MESSAGES(M)
#undef M

/* event.c */
bool kvmi_event_known(u16 id);
bool kvmi_event_is_vm(u16 id);
int kvmi_event_control(struct kvmi_session *session, u16 id, bool enable);
int kvmi_event_send_unhook(struct kvmi_session *session);

/* memory.c */
bool kvmi_memory_valid(u64 gpa, size_t size);
int kvmi_memory_read(struct kvmi_session *session, gpa_t gpa, void *data,
		     size_t size);
int kvmi_memory_write(struct kvmi_session *session, gpa_t gpa,
		      const void *data, size_t size);
gfn_t kvmi_memory_max_gfn(struct kvm *kvm);

/* dirty.c */
int kvmi_dirty_mark(struct kvm *kvm, gfn_t gfn);

/* job.c */
bool kvmi_job_run(struct kvm_vcpu *vcpu, struct kvmi_job *job,
		  unsigned long timeout);

/* counters.c */
void kvmi_counters_create(struct kvmi_vm *kvmi);
void kvmi_counters_destroy(struct kvmi_vm *kvmi);

/* arch/x86/kvm/introspection */
int kvmi_arch_vm_supported(struct kvm *kvm);

#endif /* __KVMI_INTROSPECTION_H */
