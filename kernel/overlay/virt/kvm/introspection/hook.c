// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection: the device manager's five ioctls, and the end of a VM.
 *
 * kvmi_vm.lock serialises the ioctls of one VM. The receive thread never takes
 * it, so that UNHOOK can wait for the thread with the lock held.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "introspection.h"
#include "trace.h"

/* Counts the sessions of all VMs: without one the hooks are not even asked. */
DEFINE_STATIC_KEY_FALSE(kvmi_active);
EXPORT_SYMBOL_GPL(kvmi_active);

/*
 * The record of a VM is made by its first HOOK and stays. Two first HOOKs at
 * once are settled by the cmpxchg.
 */
static struct kvmi_vm *vm_get(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);

	if (kvmi)
		return kvmi;

	kvmi = kmem_cache_zalloc(kvmi_vm_cache, GFP_KERNEL_ACCOUNT);
	if (!kvmi)
		return NULL;
	kvmi->kvm = kvm;
	mutex_init(&kvmi->lock);
	mutex_init(&kvmi->view_lock);
	spin_lock_init(&kvmi->session_lock);
	xa_init(&kvmi->access);

	if (cmpxchg(&kvm->kvmi, NULL, kvmi)) {
		kmem_cache_free(kvmi_vm_cache, kvmi);
		return READ_ONCE(kvm->kvmi);
	}
	kvmi_counters_create(kvmi);

	return kvmi;
}

bool kvmi_vm_hooked(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);

	return kvmi && READ_ONCE(kvmi->session);
}
EXPORT_SYMBOL_GPL(kvmi_vm_hooked);

/*
 * In kvm->srcu. What one reader does with KVMI_VM_UNHOOKED, HOOK sees; hence
 * hooking ends after the session is there, and is read before.
 */
enum kvmi_vm_state kvmi_vm_state(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);

	if (!kvmi)
		return KVMI_VM_UNHOOKED;
	/* Pairs with the release in session_publish(). */
	if (smp_load_acquire(&kvmi->hooking))
		return KVMI_VM_HOOKING;

	return READ_ONCE(kvmi->session) ? KVMI_VM_HOOKED : KVMI_VM_UNHOOKED;
}

static void session_set(struct kvmi_vm *kvmi, struct kvmi_session *session)
{
	spin_lock(&kvmi->session_lock);
	WRITE_ONCE(kvmi->session, session);
	spin_unlock(&kvmi->session_lock);
}

/*
 * kvm->lock keeps the VM from turning into one that cannot be introspected
 * between the test and the moment at which kvmi_vm_hooked() tells so.
 */
static int session_set_if_supported(struct kvmi_vm *kvmi,
				    struct kvmi_session *session)
{
	int r;

	if (mutex_lock_killable(&kvmi->kvm->lock))
		return -EINTR;
	r = kvmi_arch_vm_supported(kvmi->kvm);
	if (!r)
		session_set(kvmi, session);
	mutex_unlock(&kvmi->kvm->lock);

	return r;
}

/*
 * A vCPU is moved into its own guest inside of kvm->srcu: one that has not seen
 * hooking has arrived there when the grace period is over. vCPUs take kvm->lock
 * inside of kvm->srcu, so the period cannot be waited for under that lock.
 */
static int session_publish(struct kvmi_vm *kvmi, struct kvmi_session *session)
{
	int r;

	lockdep_assert_held(&kvmi->lock);

	WRITE_ONCE(kvmi->hooking, true);
	synchronize_srcu_expedited(&kvmi->kvm->srcu);
	r = session_set_if_supported(kvmi, session);
	/* Pairs with kvmi_vm_state(): the session is there before. */
	smp_store_release(&kvmi->hooking, false);

	return r;
}

static int hook_locked(struct kvmi_vm *kvmi,
		       const struct kvm_introspection_hook *hook)
{
	struct kvmi_session *session;
	int r;

	lockdep_assert_held(&kvmi->lock);

	if (kvmi->session)
		return -EEXIST;

	/* Told before the socket is looked at, and again when it counts. */
	r = kvmi_arch_vm_supported(kvmi->kvm);
	if (r)
		return r;

	session = kvmi_session_create(kvmi, hook->fd, hook->uuid);
	if (IS_ERR(session))
		return PTR_ERR(session);

	static_branch_inc(&kvmi_active);
	r = session_publish(kvmi, session);
	if (r) {
		static_branch_dec(&kvmi_active);
		kvmi_session_discard(session);
		return r;
	}

	kvmi->counters.sessions++;
	trace_kvmi_hook(kvmi->kvm, session->uuid);
	wake_up_process(session->receiver);

	return 0;
}

static int ioctl_hook(struct kvm *kvm, void __user *argp)
{
	struct kvm_introspection_hook hook;
	struct kvmi_vm *kvmi;
	int r;

	if (copy_from_user(&hook, argp, sizeof(hook)))
		return -EFAULT;
	if (hook.padding)
		return -EINVAL;

	kvmi = vm_get(kvm);
	if (!kvmi)
		return -ENOMEM;

	if (mutex_lock_killable(&kvmi->lock))
		return -EINTR;
	r = hook_locked(kvmi, &hook);
	mutex_unlock(&kvmi->lock);

	return r;
}

/* A killed caller leaves the session; the end of the VM finishes it. */
static int ioctl_unhook(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);
	struct kvmi_session *session;
	int r = 0;

	if (!kvmi)
		return 0;

	if (mutex_lock_killable(&kvmi->lock))
		return -EINTR;
	session = kvmi->session;
	if (session)
		r = kvmi_session_stop(session);
	if (session && !r) {
		session_set(kvmi, NULL);
		trace_kvmi_unhook(kvm, session->uuid);
		kvmi_session_end(session);
		static_branch_dec(&kvmi_active);
	}
	mutex_unlock(&kvmi->lock);

	return r;
}

static int ioctl_feature(struct kvm *kvm, unsigned int ioctl,
			 void __user *argp)
{
	struct kvm_introspection_feature feature;
	struct kvmi_vm *kvmi;
	int r;

	if (copy_from_user(&feature, argp, sizeof(feature)))
		return -EFAULT;
	r = kvmi_policy_check(ioctl, &feature);
	if (r)
		return r;

	kvmi = READ_ONCE(kvm->kvmi);
	if (!kvmi)
		return -EFAULT;

	if (mutex_lock_killable(&kvmi->lock))
		return -EINTR;
	r = -EFAULT;
	if (kvmi->session)
		r = kvmi_policy_set(kvmi->session, ioctl, &feature);
	mutex_unlock(&kvmi->lock);

	return r;
}

static int ioctl_preunhook(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = READ_ONCE(kvm->kvmi);
	int r = -EFAULT;

	if (!kvmi)
		return -EFAULT;

	if (mutex_lock_killable(&kvmi->lock))
		return -EINTR;
	if (kvmi->session)
		r = kvmi_event_send_unhook(kvmi->session);
	mutex_unlock(&kvmi->lock);

	return r;
}

int kvmi_vm_ioctl(struct kvm *kvm, unsigned int ioctl, void __user *argp)
{
	if (!kvmi_enabled())
		return -EPERM;

	switch (ioctl) {
	case KVM_INTROSPECTION_HOOK:
		return ioctl_hook(kvm, argp);
	case KVM_INTROSPECTION_UNHOOK:
		return ioctl_unhook(kvm);
	case KVM_INTROSPECTION_COMMAND:
	case KVM_INTROSPECTION_EVENT:
		return ioctl_feature(kvm, ioctl, argp);
	case KVM_INTROSPECTION_PREUNHOOK:
		return ioctl_preunhook(kvm);
	default:
		return -ENOTTY;
	}
}

/*
 * Runs before anything of the VM is taken apart, when the last reference to it
 * is gone: no ioctl and no vCPU runs any more, only the receive thread. The
 * thread holds no reference, lest a tool that keeps its socket open would keep
 * the VM. No lock is needed, as nobody is left to take it.
 */
void kvmi_vm_destroy(struct kvm *kvm)
{
	struct kvmi_vm *kvmi = kvm->kvmi;

	if (!kvmi)
		return;

	if (kvmi->session) {
		trace_kvmi_unhook(kvm, kvmi->session->uuid);
		kvmi_session_end(kvmi->session);
		static_branch_dec(&kvmi_active);
	}
	kvmi_counters_destroy(kvmi);
	kvm->kvmi = NULL;
	xa_destroy(&kvmi->access);
	kmem_cache_free(kvmi_vm_cache, kvmi);
}
