// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the record of a vCPU, the head of its run loop, and the
 * commands that are alike on all architectures.
 *
 * The record is made with the vCPU, hooked or not, so that a vCPU that comes
 * late needs nothing and HOOK cannot fail half-way. What a session set in it is
 * stamped with the session's generation; it is undone in the vCPU's own time,
 * which may be after the next HOOK.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "introspection.h"

#define PAUSES_MAX	1001

int kvmi_vcpu_create(struct kvm_vcpu *vcpu)
{
	struct kvmi_vcpu *vcpui;

	if (!kvmi_enabled())
		return 0;

	vcpui = kmem_cache_zalloc(kvmi_vcpu_cache, GFP_KERNEL_ACCOUNT);
	if (!vcpui)
		return -ENOMEM;

	kvmi_job_init(vcpui);
	rcuwait_init(&vcpui->wait);
	vcpu->kvmi = vcpui;

	return 0;
}

void kvmi_vcpu_destroy(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi)
		return;

	WARN_ON_ONCE(!list_empty(&vcpu->kvmi->jobs));
	bitmap_free(vcpu->kvmi->watched_msrs);
	kmem_cache_free(kvmi_vcpu_cache, vcpu->kvmi);
	vcpu->kvmi = NULL;
}

/* The index comes from the tool; NULL if there is no such vCPU. */
struct kvm_vcpu *kvmi_vcpu_find(struct kvmi_session *session, u16 index)
{
	return kvm_get_vcpu(session->kvm, index);
}

static void forget(struct kvm_vcpu *vcpu)
{
	kvmi_arch_step_end(vcpu);
	kvmi_arch_trap_end(vcpu);
	kvmi_pending_forget(vcpu);
}

static void reset_record(struct kvm_vcpu *vcpu)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	lockdep_assert_held(&vcpu->mutex);

	forget(vcpu);
	bitmap_zero(vcpui->events, KVMI_NUM_EVENTS);
	vcpui->watched_crs = 0;
	bitmap_free(vcpui->watched_msrs);
	vcpui->watched_msrs = NULL;
	vcpui->nr_over = 0;
	kvmi_arch_vcpu_refresh(vcpu);
}

/* What is here of an older session must not answer to this one. */
void kvmi_vcpu_adopt(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	if (vcpui->generation == session->generation)
		return;

	reset_record(vcpu);
	vcpui->generation = session->generation;
}

/*
 * The session is over. Nothing may wait for it any more; its interceptions go
 * unless the tool said that they stay.
 */
static void release(struct kvm_vcpu *vcpu)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;
	u32 generation = xchg(&vcpui->release, 0);

	kvmi_pending_end(vcpu);
	/* What an earlier session left has been undone by adopt(). */
	if (generation && generation == vcpui->generation)
		reset_record(vcpu);
	else
		forget(vcpu);
}

/* For who changed what is wanted without being the holder of vcpu->mutex. */
void kvmi_vcpu_refresh_soon(struct kvm_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->kvmi_refresh, true);
	kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
	kvm_vcpu_kick(vcpu);
}

static void refresh_late(struct kvm_vcpu *vcpu)
{
	if (READ_ONCE(vcpu->kvmi_refresh))
		kvmi_interception_changed(vcpu);
}

static int serve(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	int r;

	if (!kvmi_arch_vcpu_ready(vcpu))
		return 1;

	r = kvmi_pending_resume(vcpu, session);
	while (r > 0) {
		r = kvmi_between(vcpu, session);
		if (r <= 0)
			break;
		r = kvmi_arch_step_begin(vcpu);
		if (r != KVMI_STEP_TAKEN)
			break;
	}

	return r;
}

/*
 * In the vCPU's thread at the head of the run loop. Returns 1 to go on, 0 or
 * an error to leave KVM_RUN.
 */
int kvmi_vcpu_serve(struct kvm_vcpu *vcpu)
{
	struct kvmi_session *session = kvmi_session_get(vcpu->kvm);
	int r = 1;

	lockdep_assert_held(&vcpu->mutex);

	if (session)
		kvmi_vcpu_adopt(vcpu, session);
	kvmi_job_run_all(vcpu);
	if (!session)
		release(vcpu);
	refresh_late(vcpu);
	if (session) {
		r = serve(vcpu, session);
		kvmi_session_put(session);
	}

	/* Also when the tool has left since: its reply has been taken. */
	if (vcpu->kvmi->crash) {
		vcpu->kvmi->crash = false;
		vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
		vcpu->run->flags |= KVM_RUN_X86_INTROSPECTION_CRASH;
		return 0;
	}

	return r;
}

static void serve_loaded(struct kvm_vcpu *vcpu)
{
	struct kvmi_session *session = kvmi_session_get(vcpu->kvm);

	if (session)
		kvmi_vcpu_adopt(vcpu, session);
	kvmi_job_run_all(vcpu);
	if (session)
		kvmi_session_put(session);
	else
		release(vcpu);
}

/*
 * For a vCPU that nobody runs: its jobs are run here and now. The request stays
 * if there is more to do that only KVM_RUN can do.
 */
void kvmi_vcpu_serve_outside(struct kvm_vcpu *vcpu)
{
	while (kvm_test_request(KVM_REQ_INTROSPECTION, vcpu) &&
	       !list_empty_careful(&vcpu->kvmi->jobs) &&
	       mutex_trylock(&vcpu->mutex)) {
		vcpu_load(vcpu);
		serve_loaded(vcpu);
		vcpu_put(vcpu);
		mutex_unlock(&vcpu->mutex);
	}
}

/*
 * An AP that waits for INIT takes the request and keeps the pauses: it can only
 * be paused when it has left that state, by SIPI or by an ioctl.
 */
void kvmi_vcpu_recall_pauses(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi && atomic_read(&vcpu->kvmi->pauses) &&
	    kvmi_arch_vcpu_ready(vcpu))
		kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
}

/* The session takes no more users: let go of whatever waits for it. */
void kvmi_vcpu_release_all(struct kvmi_session *session)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, session->kvm) {
		if (session->cleanup)
			WRITE_ONCE(vcpu->kvmi->release,
				   session->generation);
		kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
		kvm_vcpu_kick(vcpu);
		rcuwait_wake_up(&vcpu->kvmi->wait);
		kvmi_vcpu_serve_outside(vcpu);
	}
}

/* While nobody else adds any, or whoever does may win. */
void kvmi_vcpu_forget_pauses(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm)
		atomic_set(&vcpu->kvmi->pauses, 0);
}

bool kvmi_vcpu_event_wanted(struct kvmi_session *session,
			    struct kvm_vcpu *vcpu, u16 event)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	return vcpui->generation == session->generation &&
	       test_bit(event, vcpui->events) &&
	       test_bit(event, session->policy.events);
}

static void leave_guest(void *unused)
{
}

/*
 * With wait: the request is visible before the interrupt, so a vCPU that takes
 * it has left the guest and finds the request before it is back.
 */
static void pause(struct kvm_vcpu *vcpu, bool wait)
{
	int cpu;

	atomic_inc(&vcpu->kvmi->pauses);
	kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
	kvm_vcpu_kick(vcpu);
	rcuwait_wake_up(&vcpu->kvmi->wait);

	cpu = READ_ONCE(vcpu->cpu);
	if (wait && cpu >= 0 && READ_ONCE(vcpu->mode) != OUTSIDE_GUEST_MODE)
		smp_call_function_single(cpu, leave_guest, NULL, 1);
}

int handle_vm_pause_vcpu(struct kvmi_session *session,
			 const struct kvmi_msg *msg)
{
	const struct kvmi_vm_pause_vcpu *req = (const void *)msg->data;
	struct kvm_vcpu *vcpu;
	int err = 0;

	vcpu = kvmi_vcpu_find(session, req->vcpu);
	if (req->wait > 1 || req->padding1 || req->padding2)
		err = -KVM_EINVAL;
	else if (!test_bit(KVMI_VCPU_EVENT_PAUSE, session->policy.events))
		err = -KVM_EPERM;
	else if (!vcpu)
		err = -KVM_EINVAL;
	else if (atomic_read(&vcpu->kvmi->pauses) > PAUSES_MAX)
		err = -KVM_EBUSY;
	else
		pause(vcpu, req->wait);

	return kvmi_reply(session, msg, err, NULL, 0);
}

static const void *payload(const struct kvmi_msg *msg)
{
	return msg->data + sizeof(struct kvmi_vcpu_hdr);
}

int handle_vcpu_control_events(struct kvmi_session *session,
			       struct kvm_vcpu *vcpu,
			       const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_control_events *req = payload(msg);
	int err = 0;

	if (req->padding1 || req->padding2 || req->enable > 1 ||
	    !kvmi_vcpu_event_known(req->event_id))
		err = -KVM_EINVAL;
	else if (!test_bit(req->event_id, session->policy.events))
		err = -KVM_EPERM;
	else if (!kvmi_arch_event_supported(req->event_id))
		err = -KVM_EOPNOTSUPP;
	else
		assign_bit(req->event_id, vcpu->kvmi->events, req->enable);
	if (!err)
		kvmi_interception_changed(vcpu);

	return kvmi_reply(session, msg, err, NULL, 0);
}

/* Kept aside until the reply of the event is accepted; the last one counts. */
int handle_vcpu_set_registers(struct kvmi_session *session,
			      struct kvm_vcpu *vcpu,
			      const struct kvmi_msg *msg)
{
	const struct kvm_regs *regs = payload(msg);
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	int err = 0;

	if (msg->hdr.size < sizeof(struct kvmi_vcpu_hdr) + sizeof(*regs)) {
		err = -KVM_EINVAL;
	} else if (vcpu->kvmi->nr_over) {
		/* For an event that is over: accepted and dropped with it. */
	} else if (pending->state != KVMI_PENDING_SENT) {
		err = -KVM_EOPNOTSUPP;
	} else {
		pending->regs = *regs;
		pending->set_regs = true;
	}

	return kvmi_reply(session, msg, err, NULL, 0);
}
