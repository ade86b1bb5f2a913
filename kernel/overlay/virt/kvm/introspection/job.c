// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: work for a vCPU.
 *
 * KVM_REQ_INTROSPECTION brings a vCPU to the head of its run loop, out of the
 * guest or out of a halt. Whoever queues a job then tries to take vcpu->mutex:
 * if that works the vCPU is outside of KVM_RUN and the job is run at once. If
 * not, its holder looks for the request after it has let go of the mutex. One
 * of the two sees the other, so that no job waits for the next KVM_RUN.
 */
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "introspection.h"

/* More than a tool needs; the receive thread waits for the vCPU then. */
#define JOBS_MAX	64

struct message_job {
	struct kvmi_job job;
	struct kvmi_session *session;	/* a user of it */
	int (*handle)(struct kvmi_session *session, struct kvm_vcpu *vcpu,
		      const struct kvmi_msg *msg);
	struct kvmi_msg msg;	/* allocated as long as it is */
};

void kvmi_job_init(struct kvmi_vcpu *vcpui)
{
	spin_lock_init(&vcpui->job_lock);
	INIT_LIST_HEAD(&vcpui->jobs);
}

void kvmi_job_queue(struct kvm_vcpu *vcpu, struct kvmi_job *job)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	spin_lock(&vcpui->job_lock);
	list_add_tail(&job->link, &vcpui->jobs);
	vcpui->nr_jobs++;
	spin_unlock(&vcpui->job_lock);

	kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
	kvm_vcpu_kick(vcpu);
	rcuwait_wake_up(&vcpui->wait);
	kvmi_vcpu_serve_outside(vcpu);
}

static void job_unlink(struct kvmi_vcpu *vcpui, struct kvmi_job *job)
{
	lockdep_assert_held(&vcpui->job_lock);

	list_del_init(&job->link);
	vcpui->nr_jobs--;
}

static struct kvmi_job *job_take(struct kvmi_vcpu *vcpui)
{
	struct kvmi_job *job;

	spin_lock(&vcpui->job_lock);
	job = list_first_entry_or_null(&vcpui->jobs, struct kvmi_job, link);
	if (job)
		job_unlink(vcpui, job);
	spin_unlock(&vcpui->job_lock);

	return job;
}

/* Returns false if the job has been taken and is run, or was. */
bool kvmi_job_withdraw(struct kvm_vcpu *vcpu, struct kvmi_job *job)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;
	bool queued;

	spin_lock(&vcpui->job_lock);
	queued = !list_empty(&job->link);
	if (queued)
		job_unlink(vcpui, job);
	spin_unlock(&vcpui->job_lock);

	return queued;
}

void kvmi_job_run_all(struct kvm_vcpu *vcpu)
{
	struct kvmi_job *job;

	lockdep_assert_held(&vcpu->mutex);

	while ((job = job_take(vcpu->kvmi)))
		job->run(vcpu, job);
}

/*
 * What the tool sent before it left counts, so this does not ask whether its
 * session still is. A handler that fails has lost the stream, or the tool has
 * lost its mind.
 */
static void run_message(struct kvm_vcpu *vcpu, struct kvmi_job *job)
{
	struct message_job *m = container_of(job, struct message_job, job);

	kvmi_vcpu_adopt(vcpu, m->session);
	if (m->handle(m->session, vcpu, &m->msg) < 0)
		kvmi_channel_close(m->session);
	kvmi_session_put(m->session);
	kfree(m);
}

static bool has_room(struct kvm_vcpu *vcpu)
{
	return READ_ONCE(vcpu->kvmi->nr_jobs) < JOBS_MAX;
}

/* size: that of the structure that msg is read as, at least. */
int kvmi_job_queue_message(struct kvmi_session *session, struct kvm_vcpu *vcpu,
			   const struct kvmi_msg *msg, size_t size,
			   int (*handle)(struct kvmi_session *session,
					 struct kvm_vcpu *vcpu,
					 const struct kvmi_msg *msg))
{
	size_t whole = sizeof(msg->hdr) + max_t(size_t, msg->hdr.size, size);
	struct message_job *m;

	while (!has_room(vcpu)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		schedule_timeout_killable(1);
	}

	m = kmalloc(offsetof(struct message_job, msg) + whole,
		    GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;

	if (!kvmi_session_hold(session)) {
		kfree(m);
		return -ENOTCONN;
	}

	m->job.run = run_message;
	m->session = session;
	m->handle = handle;
	memcpy(&m->msg, msg, whole);
	kvmi_job_queue(vcpu, &m->job);

	return 0;
}
