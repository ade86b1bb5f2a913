// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: a vCPU that waits for what the tool says to its event.
 *
 * The vCPU's thread waits where the instruction was intercepted, serves its
 * jobs meanwhile, and goes on with the reply. A signal does not wait for tools:
 * the hook gives the instruction up without effect and KVM_RUN returns -EINTR.
 * struct kvmi_pending remembers the event, and the next KVM_RUN waits on at
 * the head of the run loop, before the guest is entered. The reply then either
 * is final (CRASH, RETRY, another RIP), or the instruction is repeated: until
 * the same hook has taken the stored reply no interrupt, NMI or SMI may come
 * between, or one action of the guest would be two events.
 *
 * The event is over when user space has moved the vCPU elsewhere in between.
 * Its reply is still to come and is then accepted and dropped.
 *
 * kvm->srcu is let go during the wait: the device manager changes its memory
 * slots while a tool thinks.
 */
#include <linux/sched/signal.h>

#include "introspection.h"
#include "trace.h"

/* A trap that is to take a stored reply has to come, wanted or not. */
bool kvmi_pending_is(struct kvm_vcpu *vcpu, u16 event, u64 key)
{
	const struct kvmi_pending *pending = &vcpu->kvmi->pending;

	return pending->state != KVMI_PENDING_NONE &&
	       pending->event == event && pending->key == key;
}

/* The tool wants to see more, or less, than before. */
void kvmi_interception_changed(struct kvm_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);

	if (vcpu->kvmi->pending.state != KVMI_PENDING_NONE)
		vcpu->kvmi->refresh_due = true;
	kvmi_arch_vcpu_refresh(vcpu);
}

static void repeat_begin(struct kvm_vcpu *vcpu)
{
	vcpu->kvmi_repeats = true;
	kvmi_arch_interrupts_held(vcpu, true);
}

static void repeat_end(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi_repeats)
		return;
	vcpu->kvmi_repeats = false;
	kvmi_arch_interrupts_held(vcpu, false);
	/* A pause does not come between, so it has been put off. */
	if (atomic_read(&vcpu->kvmi->pauses))
		kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
}

void kvmi_pending_forget(struct kvm_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->mutex);

	repeat_end(vcpu);
	vcpu->kvmi->pending.state = KVMI_PENDING_NONE;
	vcpu->kvmi->pending.set_regs = false;

	if (vcpu->kvmi->refresh_due) {
		vcpu->kvmi->refresh_due = false;
		kvmi_arch_vcpu_refresh(vcpu);
	}
}

static void pending_repeat(struct kvm_vcpu *vcpu)
{
	repeat_begin(vcpu);
	vcpu->kvmi->pending.state = KVMI_PENDING_REPEAT;
	vcpu->kvmi->pending.set_regs = false;
}

/*
 * The vCPU comes once more to an instruction whose event has been answered with
 * CONTINUE, and does not tell the tool again.
 */
void kvmi_pending_again(struct kvm_vcpu *vcpu, u16 event)
{
	if (vcpu->kvmi->pending.state != KVMI_PENDING_NONE)
		return;

	vcpu->kvmi->pending = (struct kvmi_pending){
		.event = event,
		.rip = kvmi_arch_rip(vcpu),
	};
	pending_repeat(vcpu);
}

/*
 * A tool that lets more than these pile up, while the device manager moves the
 * vCPU about, loses its connection with the oldest of them.
 */
static void pending_over(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;

	if (vcpui->pending.state == KVMI_PENDING_SENT) {
		if (vcpui->nr_over < KVMI_OVER_MAX)
			vcpui->over[vcpui->nr_over++] = vcpui->pending.seq;
		else
			kvmi_channel_close(session);
	}
	if (vcpu->kvmi_injection == KVMI_INJECTION_TOLD)
		kvmi_drop_exception(vcpu);
	kvmi_pending_forget(vcpu);
}

static bool is_asked(struct kvm_vcpu *vcpu)
{
	return kvm_test_request(KVM_REQ_INTROSPECTION, vcpu);
}

/* Returns 0 when answered, -EINTR, or -ENOTCONN when the session is over. */
static int wait_for_reply(struct kvm_vcpu *vcpu, struct kvmi_session *session,
			  unsigned int state)
{
	struct kvmi_vcpu *vcpui = vcpu->kvmi;
	bool closed;
	int r = 0;

	lockdep_assert_held(&vcpu->mutex);

	kvm_vcpu_srcu_read_unlock(vcpu);
	for (;;) {
		kvm_clear_request(KVM_REQ_INTROSPECTION, vcpu);
		/*
		 * Who closes the session, or queues a job, makes the request
		 * after that. The last job of all can be the reply.
		 */
		smp_mb__after_atomic();
		closed = kvmi_session_is_closed(session);
		kvmi_job_run_all(vcpu);
		if (r || vcpui->pending.state != KVMI_PENDING_SENT)
			break;
		if (closed) {
			r = -ENOTCONN;
			break;
		}
		r = rcuwait_wait_event(&vcpui->wait, is_asked(vcpu), state);
	}
	kvm_vcpu_srcu_read_lock(vcpu);

	if (vcpui->pending.state == KVMI_PENDING_ANSWERED)
		r = 0;
	else if (r == -EINTR && fatal_signal_pending(current))
		kvmi_channel_close(session);
	/* What this wait took the request of is for the head of the loop. */
	if (r || closed || atomic_read(&vcpui->pauses) ||
	    READ_ONCE(vcpu->kvmi_refresh))
		kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);

	return r;
}

static int send(struct kvm_vcpu *vcpu, struct kvmi_session *session,
		const struct kvmi_event_args *args)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	u32 seq;
	int r;

	kvmi_arch_view_suspend(vcpu);
	kvm_vcpu_srcu_read_unlock(vcpu);
	r = kvmi_vcpu_event_send(session, vcpu, args, &seq);
	kvm_vcpu_srcu_read_lock(vcpu);
	if (r)
		return r;

	*pending = (struct kvmi_pending){
		.state = KVMI_PENDING_SENT,
		.event = args->event,
		.seq = seq,
		.rip = kvmi_arch_rip(vcpu),
		.key = args->key,
		.reply_size = args->reply_size,
	};

	return 0;
}

/*
 * Carries out all of the reply but CONTINUE. Returns true if the vCPU goes on
 * with the instruction that is at RIP, in whatever way.
 */
static bool reply_continues(struct kvm_vcpu *vcpu)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	bool moved = false;

	if (pending->set_regs)
		moved = kvmi_arch_set_regs(vcpu, &pending->regs);

	if (pending->action == KVMI_EVENT_ACTION_CRASH) {
		vcpu->kvmi->crash = true;
		kvm_make_request(KVM_REQ_INTROSPECTION, vcpu);
		return false;
	}

	return pending->action == KVMI_EVENT_ACTION_CONTINUE && !moved;
}

static bool is_bound_to_insn(u16 event)
{
	return event != KVMI_VCPU_EVENT_PAUSE &&
	       event != KVMI_VCPU_EVENT_TRAP &&
	       event != KVMI_VCPU_EVENT_SINGLESTEP;
}

/* An access of a restricted page is begun again; anything else is not done. */
static void step_given_up(struct kvm_vcpu *vcpu)
{
	u16 event = vcpu->kvmi->pending.event;

	if (vcpu->kvmi->step.on && is_bound_to_insn(event) &&
	    event != KVMI_VCPU_EVENT_PF)
		vcpu->kvmi->step.failed = true;
}

/*
 * The session is over. A reply that came with its end is carried out as far as
 * it is final; there is nobody left for whom to repeat the instruction.
 */
void kvmi_pending_end(struct kvm_vcpu *vcpu)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;

	if (pending->state == KVMI_PENDING_ANSWERED &&
	    pending->rip == kvmi_arch_rip(vcpu))
		reply_continues(vcpu);
	kvmi_pending_forget(vcpu);
}

static enum kvmi_verdict take_reply(struct kvm_vcpu *vcpu,
				    const struct kvmi_event_args *args,
				    void *reply)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;

	/* What cannot be repeated has registers that nobody can change. */
	if (args->no_repeat)
		pending->set_regs = false;
	if (!reply_continues(vcpu)) {
		step_given_up(vcpu);
		kvmi_pending_forget(vcpu);
		return KVMI_VERDICT_GIVE_UP;
	}
	if (pending->set_regs && args->emulated) {
		/* The emulator's copy of the registers would undo them. */
		pending_repeat(vcpu);
		return KVMI_VERDICT_GIVE_UP;
	}

	if (reply)
		memcpy(reply, pending->reply, args->reply_size);
	kvmi_pending_forget(vcpu);

	return KVMI_VERDICT_CONTINUE;
}

/* True if this is the instruction that is repeated to take its reply. */
static bool take_stored(struct kvm_vcpu *vcpu,
			const struct kvmi_event_args *args, void *reply)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	bool same;

	if (pending->state != KVMI_PENDING_REPEAT)
		return false;

	same = pending->event == args->event && pending->key == args->key &&
	       pending->rip == kvmi_arch_rip(vcpu);
	if (same && reply)
		memcpy(reply, pending->reply, args->reply_size);
	kvmi_pending_forget(vcpu);

	return same;
}

static enum kvmi_verdict raise(struct kvm_vcpu *vcpu,
			       struct kvmi_session *session,
			       const struct kvmi_event_args *args, void *reply)
{
	unsigned int state = args->no_repeat ? TASK_KILLABLE
					     : TASK_INTERRUPTIBLE;
	int r;

	if (take_stored(vcpu, args, reply))
		return KVMI_VERDICT_CONTINUE;
	if (!kvmi_vcpu_event_wanted(session, vcpu, args->event))
		return KVMI_VERDICT_NONE;
	pending_over(vcpu, session);

	r = send(vcpu, session, args);
	if (!r)
		r = wait_for_reply(vcpu, session, state | TASK_FREEZABLE);
	if (!r)
		return take_reply(vcpu, args, reply);
	if (r == -EINTR && !args->no_repeat)
		return KVMI_VERDICT_GIVE_UP;

	/* The tool is gone, or this thread is about to be. */
	kvmi_pending_forget(vcpu);
	return KVMI_VERDICT_NONE;
}

/*
 * In a hook, before the instruction has any effect. reply takes
 * args->reply_size bytes and is written for KVMI_VERDICT_CONTINUE only.
 */
enum kvmi_verdict kvmi_vcpu_event(struct kvm_vcpu *vcpu,
				  const struct kvmi_event_args *args,
				  void *reply)
{
	struct kvmi_session *session;
	enum kvmi_verdict verdict;

	if (!vcpu->kvmi || !kvmi_arch_vcpu_introspectable(vcpu))
		return KVMI_VERDICT_NONE;

	session = kvmi_session_get(vcpu->kvm);
	if (!session)
		return KVMI_VERDICT_NONE;

	verdict = raise(vcpu, session, args, reply);
	kvmi_session_put(session);

	return verdict;
}

static int signal_exit(struct kvm_vcpu *vcpu)
{
	kvm_handle_signal_exit(vcpu);
	return -EINTR;
}

/*
 * At the head of the run loop: the event that an earlier KVM_RUN left. Returns
 * 1 to go on.
 */
int kvmi_pending_resume(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	struct kvmi_pending *pending = &vcpu->kvmi->pending;
	int r;

	if (pending->state == KVMI_PENDING_NONE)
		return 1;
	if (pending->rip != kvmi_arch_rip(vcpu)) {
		pending_over(vcpu, session);
		return 1;
	}
	if (pending->state == KVMI_PENDING_REPEAT)
		return 1;

	r = wait_for_reply(vcpu, session, TASK_INTERRUPTIBLE | TASK_FREEZABLE);
	if (r == -EINTR)
		return signal_exit(vcpu);
	if (r) {
		kvmi_pending_forget(vcpu);
		return 1;
	}

	if (!reply_continues(vcpu)) {
		step_given_up(vcpu);
		kvmi_arch_insn_given_up(vcpu);
		kvmi_pending_forget(vcpu);
		return 1;
	}
	if (!is_bound_to_insn(pending->event)) {
		kvmi_pending_forget(vcpu);
		return 1;
	}
	pending_repeat(vcpu);

	return 1;
}

static bool is_between(struct kvm_vcpu *vcpu)
{
	return vcpu->kvmi->pending.state == KVMI_PENDING_NONE &&
	       !vcpu->kvmi->crash;
}

/* An exception that the tool asked for comes before any other event. */
static int trap(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	struct kvmi_vcpu_event_trap event = {};
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_TRAP,
		.data = &event,
		.size = sizeof(event),
	};
	int r;

	if (is_between(vcpu))
		kvmi_arch_trap_done(vcpu);
	if (!is_between(vcpu) || !kvmi_arch_trap_due(vcpu, &event))
		return 1;

	/* With nobody to have it, the exception comes all the same. */
	if (test_bit(KVMI_VCPU_EVENT_TRAP, session->policy.events))
		send(vcpu, session, &args);

	kvmi_arch_trap_sent(vcpu);
	r = kvmi_pending_resume(vcpu, session);
	if (r > 0)
		kvmi_arch_trap_done(vcpu);

	return r;
}

static int singlestep(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	struct kvmi_vcpu_event_singlestep event = {};
	struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_SINGLESTEP,
		.data = &event,
		.size = sizeof(event),
	};

	if (!is_between(vcpu) || !kvmi_arch_step_due(vcpu, &event))
		return 1;
	if (!test_bit(args.event, session->policy.events) ||
	    send(vcpu, session, &args))
		return 1;

	return kvmi_pending_resume(vcpu, session);
}

/*
 * The last thing before the guest: what the tool asked for between two
 * instructions.
 */
int kvmi_between(struct kvm_vcpu *vcpu, struct kvmi_session *session)
{
	static const struct kvmi_event_args args = {
		.event = KVMI_VCPU_EVENT_PAUSE,
	};
	struct kvmi_vcpu *vcpui = vcpu->kvmi;
	int r;

	for (;;) {
		kvmi_arch_view_check(vcpu);
		r = singlestep(vcpu, session);
		if (r > 0)
			r = trap(vcpu, session);
		if (r <= 0)
			return r;
		if (!is_between(vcpu) || !atomic_read(&vcpui->pauses) ||
		    !test_bit(args.event, session->policy.events))
			return 1;

		if (send(vcpu, session, &args))
			return 1;
		/* They may have been forgotten meanwhile. */
		atomic_dec_if_positive(&vcpui->pauses);
		r = kvmi_pending_resume(vcpu, session);
		if (r <= 0)
			return r;
	}
}

/*
 * True while nothing may come between the guest and the repeated trap. A fault
 * of the repeated instruction, or the INIT of the vCPU, ends that: the guest is
 * elsewhere and the reply has nothing left to decide.
 */
bool kvmi_vcpu_check_repeat(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi->pending.rip == kvmi_arch_rip(vcpu))
		return true;

	kvmi_pending_forget(vcpu);
	return false;
}
