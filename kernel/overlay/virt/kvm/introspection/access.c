// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: what the guest may do with its pages, as the tool wants.
 *
 * A page that is not in kvmi_vm.access may be read, written and executed. Who
 * restricts one stores that first and then takes away all translations of it:
 * a translation is made under kvm->mmu_lock with what is stored then, so none
 * is left that gives more. The emulator makes none; it looks inside of
 * kvm->srcu, before each access.
 */
#include <linux/sort.h>

#include "introspection.h"

/* In a session a page can move to another slot; what is told of it stays. */
u8 kvmi_access_get(struct kvm *kvm, gfn_t gfn)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);
	void *entry = kvmi ? xa_load(&kvmi->access, gfn) : NULL;

	return entry ? xa_to_value(entry) : KVMI_PAGE_ACCESS_ALL;
}

bool kvmi_access_restricted(struct kvm *kvm, gfn_t first, gfn_t last)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);
	unsigned long index = first;

	return kvmi && xa_find(&kvmi->access, &index, last, XA_PRESENT);
}

bool kvmi_access_any(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);

	return kvmi && !xa_empty(&kvmi->access);
}

static int store(struct kvmi_session *session,
		 const struct kvmi_page_access_entry *entry)
{
	struct xarray *access = &session->kvmi->access;
	gfn_t gfn = gpa_to_gfn(entry->gpa);
	void *old;

	if (memchr_inv(entry->padding, 0, sizeof(entry->padding)) ||
	    !kvmi_arch_access_valid(entry->access) ||
	    !kvmi_memory_visible(session->kvm, gfn))
		return -KVM_EINVAL;

	if (entry->access == KVMI_PAGE_ACCESS_ALL)
		old = xa_erase(access, gfn);
	else
		old = xa_store(access, gfn, xa_mk_value(entry->access),
			       GFP_KERNEL_ACCOUNT);

	return xa_is_err(old) ? -KVM_ENOMEM : 0;
}

static int compare(const void *a, const void *b)
{
	const gfn_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/*
 * Each entry counts by itself: one that is refused leaves the others done. The
 * first error is the answer.
 */
static int set(struct kvmi_session *session,
	       const struct kvmi_vm_set_page_access *req)
{
	/* No other command is on its way: room for its reply is room for this. */
	gfn_t *gfns = (gfn_t *)session->out->data;
	struct kvm *kvm = session->kvm;
	unsigned int i, n = 0;
	int err = 0, r, idx;

	BUILD_BUG_ON(sizeof(*gfns) > sizeof(req->entries[0]));

	idx = srcu_read_lock(&kvm->srcu);
	for (i = 0; i < req->count; i++) {
		r = store(session, &req->entries[i]);
		if (!r)
			gfns[n++] = gpa_to_gfn(req->entries[i].gpa);
		else if (!err)
			err = r;
	}
	sort(gfns, n, sizeof(*gfns), compare, NULL);
	kvmi_arch_access_changed(kvm, gfns, n);
	srcu_read_unlock(&kvm->srcu, idx);

	/* An emulator that has looked before is done now. */
	if (n)
		synchronize_srcu_expedited(&kvm->srcu);

	return err;
}

int handle_vm_set_page_access(struct kvmi_session *session,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vm_set_page_access *req = (const void *)msg->data;
	int err = -KVM_EINVAL;

	/* A command that promises more than it brings ends the session. */
	if (msg->hdr.size < struct_size(req, entries, req->count))
		return -EPROTO;

	if (!req->padding1 && !req->padding2)
		err = set(session, req);

	return kvmi_reply(session, msg, err, NULL, 0);
}

static unsigned int take_some(struct xarray *access, gfn_t *gfns,
			      unsigned int max)
{
	unsigned int n = 0;
	unsigned long gfn;
	void *entry;

	xa_for_each(access, gfn, entry) {
		xa_erase(access, gfn);
		gfns[n++] = gfn;
		if (n == max)
			break;
	}

	return n;
}

/*
 * By the receive thread, when it reads no more commands. A vCPU that finds a
 * restriction without a session tries again.
 */
void kvmi_access_clear(struct kvmi_session *session)
{
	gfn_t *gfns = (gfn_t *)session->out->data;
	struct kvm *kvm = session->kvm;
	unsigned int n;
	int idx;

	for (;;) {
		n = take_some(&session->kvmi->access, gfns,
			      sizeof(session->out->data) / sizeof(*gfns));
		if (!n)
			return;
		idx = srcu_read_lock(&kvm->srcu);
		kvmi_arch_access_changed(kvm, gfns, n);
		srcu_read_unlock(&kvm->srcu, idx);
		cond_resched();
	}
}
