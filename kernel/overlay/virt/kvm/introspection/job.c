// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the record of a vCPU, and work for its own thread.
 *
 * KVM_REQ_INTROSPECTION brings a vCPU to the head of its run loop, out of the
 * guest or out of a halt. A vCPU outside of KVM_RUN finds the request when it
 * comes back. The record is made with the vCPU, hooked or not, so that a vCPU
 * that comes late needs nothing and HOOK cannot fail half-way.
 */
#include <linux/slab.h>

#include "introspection.h"

int kvmi_vcpu_create(struct kvm_vcpu *vcpu)
{
	struct kvmi_vcpu *vcpui;

	if (!kvmi_enabled())
		return 0;

	vcpui = kmem_cache_zalloc(kvmi_vcpu_cache, GFP_KERNEL_ACCOUNT);
	if (!vcpui)
		return -ENOMEM;

	spin_lock_init(&vcpui->job_lock);
	INIT_LIST_HEAD(&vcpui->jobs);
	vcpu->kvmi = vcpui;

	return 0;
}

void kvmi_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi)
		return;

	WARN_ON_ONCE(!list_empty(&vcpu->kvmi->jobs));
	kmem_cache_free(kvmi_vcpu_cache, vcpu->kvmi);
	vcpu->kvmi = NULL;
}

static struct kvmi_job *job_take(struct kvmi_vcpu *vcpui)
{
	struct kvmi_job *job;

	spin_lock(&vcpui->job_lock);
	job = list_first_entry_or_null(&vcpui->jobs, struct kvmi_job, link);
	if (job)
		list_del_init(&job->link);
	spin_unlock(&vcpui->job_lock);

	return job;
}

/* In the vCPU's thread, the vCPU loaded and kvm->srcu held for reading. */
void kvmi_vcpu_serve(struct kvm_vcpu *vcpu)
{
	struct kvmi_job *job;

	lockdep_assert_held(&vcpu->mutex);

	while ((job = job_take(vcpu->kvmi))) {
		job->result = job->run(vcpu, job);
		complete(&job->done);
	}
}

/* Returns false if the vCPU has the job and will complete it. */
static bool job_withdraw(struct kvmi_vcpu *vcpui, struct kvmi_job *job)
{
	bool queued;

	spin_lock(&vcpui->job_lock);
	queued = !list_empty(&job->link);
	list_del_init(&job->link);
	spin_unlock(&vcpui->job_lock);

	return queued;
}

/*
 * Returns what the job returned, or false if the vCPU has not come for it in
 * time: then the job has not run and will not. The last wait is for a job that
 * runs at this moment, and a job does not sleep.
 */
bool kvmi_job_run(struct kvm_vcpu *vcpu, struct kvmi_job *job,
		  unsigned long timeout)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	init_completion(&job->done);
	job->result = false;

	spin_lock(&vcpui->job_lock);
	list_add_tail(&job->link, &vcpui->jobs);
	spin_unlock(&vcpui->job_lock);

	kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
	kvm_vcpu_kick(vcpu);

	if (wait_for_completion_killable_timeout(&job->done, timeout) <= 0 &&
	    !job_withdraw(vcpui, job))
		wait_for_completion(&job->done);

	return job->result;
}
