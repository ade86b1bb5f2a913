// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: a vCPU that goes by single instructions, because
 * the tool wants to hear of each, or one time, in the step view.
 *
 * A step is over when an instruction is executed, by the processor or by KVM,
 * or one iteration of it where a prefix repeats it; or when the exception or
 * the interrupt is delivered that comes in its place. Interrupts, NMIs and SMIs
 * wait meanwhile: a guest that is stepped would do nothing but serve them.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "features.h"
#include "page.h"
#include "vendor.h"
#include "x86.h"

bool kvmi_arch_step_supported(void)
{
	return kvmi_has_singlestep();
}

/* After either reason to step has come or gone. */
void kvmi_step_changed(struct kvm_vcpu *vcpu)
{
	const struct kvmi_step *step = &vcpu->kvmi->step;
	bool steps = step->on || step->view != KVMI_VIEW_NORMAL;

	lockdep_assert_held(&vcpu->mutex);

	if (vcpu->kvmi_steps == steps)
		return;
	vcpu->kvmi_steps = steps;
	kvmi_arch_interrupts_held(vcpu, steps || vcpu->kvmi_repeats);
}

static void set(struct kvm_vcpu *vcpu, bool on)
{
	struct kvmi_step *step = &vcpu->kvmi->step;

	if (step->on == on)
		return;
	step->on = on;
	step->failed = false;
	if (step->view == KVMI_VIEW_NORMAL)
		step->done = false;
	kvmi_step_changed(vcpu);
}

/* Returns true if there is a step to tell of. */
bool kvmi_arch_step_due(struct kvm_vcpu *vcpu,
			struct kvmi_vcpu_event_singlestep *event)
{
	struct kvmi_step *step = &vcpu->kvmi->step;
	bool done = step->done, failed = step->failed;

	step->done = false;
	step->failed = false;
	event->failed = !done;

	return step->on && (done || failed);
}

static bool has_event(struct kvm_vcpu *vcpu)
{
	return kvm_event_needs_reinjection(vcpu) ||
	       kvm_is_exception_pending(vcpu);
}

/*
 * The last thing before the guest is entered. Returns 1 to do so,
 * KVMI_STEP_TAKEN if that step is done already, or what ends KVM_RUN.
 */
int kvmi_arch_step_begin(struct kvm_vcpu *vcpu)
{
	int r;

	if (!vcpu->kvmi_steps)
		return 1;

	r = kvmi_view_enter(vcpu);
	if (r <= 0 || !vcpu->kvmi->step.on || vcpu->kvmi->step.done ||
	    has_event(vcpu) || is_guest_mode(vcpu) || !kvmi_can_run(vcpu))
		return r;

	return kvmi_vendor->step_prepare ? kvmi_vendor->step_prepare(vcpu) : 1;
}

/* The session is over, or another one has come. */
void kvmi_arch_step_end(struct kvm_vcpu *vcpu)
{
	kvmi_view_drop(vcpu);
	set(vcpu, false);
}

/*
 * Interrupts are off; it is known what the entry injects. What has been read
 * by another root must not be left over from before.
 */
void __kvmi_enter_guest(struct kvm_vcpu *vcpu)
{
	WARN_ON_ONCE(vcpu->kvmi_flush_due);
	if (vcpu->kvmi_steps)
		kvmi_vendor->step_enter(vcpu);
}
EXPORT_SYMBOL_GPL(__kvmi_enter_guest);

static int check(struct kvmi_session *session, struct kvm_vcpu *vcpu,
		 const struct kvmi_vcpu_control_singlestep *req)
{
	if (!test_bit(KVMI_VCPU_EVENT_SINGLESTEP, session->policy.events))
		return -KVM_EPERM;
	if (req->enable > 1 ||
	    memchr_inv(req->padding, 0, sizeof(req->padding)))
		return -KVM_EINVAL;
	if (!kvmi_arch_step_supported())
		return -KVM_EOPNOTSUPP;
	/* A debugger of the device manager has what we need. */
	if (req->enable && vcpu->guest_debug & KVM_GUESTDBG_SINGLESTEP)
		return -KVM_EBUSY;

	return 0;
}

int handle_vcpu_control_singlestep(struct kvmi_session *session,
				   struct kvm_vcpu *vcpu,
				   const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_control_singlestep *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	int err = check(session, vcpu, req);

	if (!err)
		set(vcpu, req->enable);

	return kvmi_reply(session, msg, err, NULL, 0);
}
