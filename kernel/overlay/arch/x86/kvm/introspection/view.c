// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: the step view.
 *
 * What the emulator cannot do, an instruction that it does not know or the
 * delivery of an event, the processor does, and nothing else: one step of it,
 * in tables of its own. They are a second root of the TDP MMU, told apart by
 * a bit of its role, and give what the others give plus what has been granted
 * to this instruction. An access of another restricted page faults there too.
 *
 * One vCPU at a time is in that view, for as long as it holds
 * kvmi_vm.view_lock: until the step is over, the tool is asked, the vCPU halts
 * or KVM_RUN is left. What it was granted then goes from the tables, and each
 * switch of roots flushes what the processor remembers of them.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "mmu.h"
#include "page.h"
#include "vendor.h"
#include "x86.h"

static void set_view(struct kvm_vcpu *vcpu, enum kvmi_view view)
{
	lockdep_assert_held(&vcpu->mutex);

	vcpu->kvmi->step.view = view;
	kvmi_step_changed(vcpu);
}

bool __kvmi_in_step_view(struct kvm_vcpu *vcpu)
{
	return kvmi_view_is_step(vcpu);
}

/* The next entry to the guest loads the root of this view, and flushes. */
static void switch_view(struct kvm_vcpu *vcpu, enum kvmi_view view)
{
	lockdep_assert_held(&vcpu->kvm->kvmi->view_lock);

	set_view(vcpu, view);
	/* The processor has not seen the one that is left before an entry. */
	if (!vcpu->kvmi_flush_due)
		atomic_inc(&vcpu->kvm->kvmi->counters.view_switches);
	vcpu->kvmi_flush_due = true;
	kvm_mmu_reset_context(vcpu);
}

/* KVM flushes what the processor remembers for this vCPU. */
void __kvmi_flushed(struct kvm_vcpu *vcpu)
{
	if (!vcpu->kvmi_flush_due)
		return;
	vcpu->kvmi_flush_due = false;
	atomic_inc(&vcpu->kvm->kvmi->counters.view_flushes);
}
EXPORT_SYMBOL_GPL(__kvmi_flushed);

/*
 * Returns false where the processor cannot be stopped after one step, and for
 * the one that is in the view: there it has not come to the emulator for this.
 */
bool kvmi_view_want(struct kvm_vcpu *vcpu, bool delivery)
{
	if (!kvmi_arch_step_supported() || kvmi_view_is_step(vcpu))
		return false;

	vcpu->kvmi->step.delivery = delivery;
	vcpu->kvmi->step.done = false;
	set_view(vcpu, KVMI_VIEW_WANTED);

	return true;
}

static void leave(struct kvm_vcpu *vcpu, enum kvmi_view view)
{
	kvmi_page_close(vcpu, &vcpu->kvmi->grants);
	switch_view(vcpu, view);
	mutex_unlock(&vcpu->kvm->kvmi->view_lock);
}

/* With all that was granted for it. */
void kvmi_view_drop(struct kvm_vcpu *vcpu)
{
	if (kvmi_view_is_step(vcpu))
		leave(vcpu, KVMI_VIEW_NORMAL);
	else if (vcpu->kvmi->step.view == KVMI_VIEW_WANTED)
		set_view(vcpu, KVMI_VIEW_NORMAL);
	kvmi_grant_forget(vcpu);
}

/* The tool has said no, maybe to the last of several questions. */
void kvmi_arch_insn_given_up(struct kvm_vcpu *vcpu)
{
	kvmi_view_drop(vcpu);
}

/* The step is not over, and something else comes first that may take long. */
void kvmi_arch_view_suspend(struct kvm_vcpu *vcpu)
{
	if (kvmi_view_is_step(vcpu))
		leave(vcpu, KVMI_VIEW_WANTED);
}

void __kvmi_vcpu_leave(struct kvm_vcpu *vcpu)
{
	kvmi_arch_view_suspend(vcpu);
}

/* Whatever there is to do at RIP is not what the view is for. */
static bool is_elsewhere(struct kvm_vcpu *vcpu)
{
	bool event = kvm_event_needs_reinjection(vcpu) ||
		     kvm_is_exception_pending(vcpu);

	return event != vcpu->kvmi->step.delivery ||
	       vcpu->kvmi->grants.rip != kvmi_arch_rip(vcpu);
}

/* At the head of the run loop, before anything is asked. */
void kvmi_arch_view_check(struct kvm_vcpu *vcpu)
{
	if (vcpu->kvmi->step.view == KVMI_VIEW_NORMAL)
		return;

	if (vcpu->kvmi->step.done || is_elsewhere(vcpu))
		kvmi_view_drop(vcpu);
	else if (!kvmi_can_run(vcpu))
		kvmi_arch_view_suspend(vcpu);
}

/* Returns 1, or what ends KVM_RUN. */
int kvmi_view_enter(struct kvm_vcpu *vcpu)
{
	int r;

	if (vcpu->kvmi->step.view != KVMI_VIEW_WANTED || !kvmi_can_run(vcpu))
		return 1;

	kvm_vcpu_srcu_read_unlock(vcpu);
	r = mutex_lock_interruptible(&vcpu->kvm->kvmi->view_lock);
	kvm_vcpu_srcu_read_lock(vcpu);
	if (r) {
		kvm_handle_signal_exit(vcpu);
		return -EINTR;
	}
	switch_view(vcpu, KVMI_VIEW_STEP);

	return 1;
}
