// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: guest memory, as the receive thread reaches it.
 *
 * The thread borrows the device manager's address space for one access at a
 * time. It must not keep it: that would hold the guest's memory and the device
 * manager's files after its exit.
 */
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/uaccess.h>

#include "introspection.h"

bool kvmi_memory_valid(u64 gpa, size_t size)
{
	return size && size <= PAGE_SIZE &&
	       offset_in_page(gpa) + size <= PAGE_SIZE;
}

/* Memory that the device manager gave to the guest: no slot of KVM's own. */
static struct kvm_memory_slot *visible_slot(struct kvm *kvm, gfn_t gfn)
{
	struct kvm_memory_slot *slot = gfn_to_memslot(kvm, gfn);

	lockdep_assert(srcu_read_lock_held(&kvm->srcu));

	return kvm_is_visible_memslot(slot) ? slot : NULL;
}

/* In kvm->srcu. */
bool kvmi_memory_visible(struct kvm *kvm, gfn_t gfn)
{
	return visible_slot(kvm, gfn);
}

static int read_page(struct kvm *kvm, gpa_t gpa, void *data, size_t size)
{
	struct kvm_memory_slot *slot = visible_slot(kvm, gpa_to_gfn(gpa));

	if (!slot)
		return -KVM_ENOENT;
	if (kvm_read_guest_page(kvm, gpa_to_gfn(gpa), data,
				offset_in_page(gpa), size))
		return -KVM_ENOENT;

	return 0;
}

/*
 * kvm_write_guest_page() marks the page dirty on behalf of the vCPU that runs,
 * and warns if there is none: the marking is done apart.
 */
static int write_page(struct kvm *kvm, gpa_t gpa, const void *data, size_t size)
{
	gfn_t gfn = gpa_to_gfn(gpa);
	struct kvm_memory_slot *slot = visible_slot(kvm, gfn);
	unsigned long hva;

	if (!slot || slot->flags & KVM_MEM_READONLY)
		return -KVM_ENOENT;

	hva = gfn_to_hva_memslot(slot, gfn);
	if (copy_to_user((void __user *)hva + offset_in_page(gpa), data, size))
		return -KVM_ENOENT;

	return 0;
}

/*
 * Guest memory in the receive thread needs the device manager's address space;
 * a vCPU's own thread has it.
 */
bool kvmi_memory_begin(struct kvm *kvm)
{
	if (current->mm == kvm->mm)
		return true;
	if (!mmget_not_zero(kvm->mm))
		return false;
	kthread_use_mm(kvm->mm);

	return true;
}

void kvmi_memory_end(struct kvm *kvm)
{
	if (!(current->flags & PF_KTHREAD))
		return;
	kthread_unuse_mm(kvm->mm);
	mmput_async(kvm->mm);
}

int kvmi_memory_read(struct kvmi_session *session, gpa_t gpa, void *data,
		     size_t size)
{
	struct kvm *kvm = session->kvm;
	int idx, r;

	if (!kvmi_memory_begin(kvm))
		return -KVM_ENOENT;
	idx = srcu_read_lock(&kvm->srcu);

	r = read_page(kvm, gpa, data, size);

	srcu_read_unlock(&kvm->srcu, idx);
	kvmi_memory_end(kvm);

	if (!r)
		session->kvmi->counters.read_bytes += size;

	return r;
}

int kvmi_memory_write(struct kvmi_session *session, gpa_t gpa,
		      const void *data, size_t size)
{
	struct kvm *kvm = session->kvm;
	int idx, r;

	if (!kvmi_dirty_can_mark(kvm))
		return -KVM_EAGAIN;
	if (!kvmi_memory_begin(kvm))
		return -KVM_ENOENT;
	idx = srcu_read_lock(&kvm->srcu);

	r = write_page(kvm, gpa, data, size);

	srcu_read_unlock(&kvm->srcu, idx);
	kvmi_memory_end(kvm);

	if (!r)
		r = kvmi_dirty_mark(kvm, gpa_to_gfn(gpa));
	if (!r)
		session->kvmi->counters.written_bytes += size;

	return r;
}

/* One past the end of the highest memory that the guest can write. */
gfn_t kvmi_memory_max_gfn(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	gfn_t max = 0;
	int bkt, idx;

	idx = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot(slot, bkt, kvm_memslots(kvm)) {
		if (kvm_is_visible_memslot(slot) &&
		    !(slot->flags & KVM_MEM_READONLY))
			max = max(max, slot->base_gfn + slot->npages);
	}
	srcu_read_unlock(&kvm->srcu, idx);

	return max;
}
