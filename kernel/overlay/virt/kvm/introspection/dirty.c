// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: a page that a tool wrote is dirty, or migration loses it.
 *
 * With a bitmap anybody may set the bit. A dirty ring belongs to one vCPU, and
 * only the holder of vcpu->mutex may push, which is what a job is for.
 */
#include <linux/sched/signal.h>

#include "introspection.h"

#define RETRY_PERIOD	msecs_to_jiffies(10)

struct dirty_job {
	struct kvmi_job job;
	gfn_t gfn;
	bool pushed;
	struct completion done;
};

/*
 * A full ring is the device manager's to empty: KVM_RUN returns to it before
 * the guest is entered. The reserved entries are for the vCPU.
 */
static bool ring_has_room(struct kvm_vcpu *vcpu)
{
	struct kvm_dirty_ring *ring = &vcpu->dirty_ring;

	return READ_ONCE(ring->dirty_index) - READ_ONCE(ring->reset_index) <
	       ring->soft_limit;
}

/* Runs with the vCPU loaded, so that KVM finds the ring to push to. */
static bool push(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	lockdep_assert_held(&vcpu->mutex);

	if (!ring_has_room(vcpu))
		return false;
	mark_page_dirty(vcpu->kvm, gfn);

	return true;
}

static void push_as_job(struct kvm_vcpu *vcpu, struct kvmi_job *job)
{
	struct dirty_job *dirty = container_of(job, struct dirty_job, job);
	int idx;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	dirty->pushed = push(vcpu, dirty->gfn);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	complete(&dirty->done);
}

/*
 * The last wait is for a job that runs at this moment, which does not sleep.
 */
static bool try_push(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct dirty_job dirty = { .job.run = push_as_job, .gfn = gfn };

	init_completion(&dirty.done);
	kvmi_job_queue(vcpu, &dirty.job);
	if (wait_for_completion_killable_timeout(&dirty.done,
						 RETRY_PERIOD) <= 0 &&
	    !kvmi_job_withdraw(vcpu, &dirty.job))
		wait_for_completion(&dirty.done);

	return dirty.pushed;
}

/* Tries until the ring took it; the end of the session ends the wait. */
static int mark_in_ring(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_vcpu *vcpu = kvm_get_vcpu(kvm, 0);

	while (!try_push(vcpu, gfn)) {
		if (fatal_signal_pending(current))
			return -KVM_EAGAIN;
		schedule_timeout_killable(1);
	}

	return 0;
}

static void mark_in_bitmap(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memory_slot *slot;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = gfn_to_memslot(kvm, gfn);
	if (slot && kvm_slot_dirty_track_enabled(slot) && slot->dirty_bitmap)
		set_bit_le(gfn - slot->base_gfn, slot->dirty_bitmap);
	srcu_read_unlock(&kvm->srcu, idx);
}

/* False as long as the VM has dirty rings and no vCPU: nothing is written. */
bool kvmi_dirty_can_mark(struct kvm *kvm)
{
	return !kvm->dirty_ring_size || kvm_get_vcpu(kvm, 0);
}

int kvmi_dirty_mark(struct kvm *kvm, gfn_t gfn)
{
	if (kvm->dirty_ring_size)
		return mark_in_ring(kvm, gfn);

	mark_in_bitmap(kvm, gfn);
	return 0;
}
