/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection: what the rest of KVM sees of it.
 *
 * Every hook in KVM's own files is a call of one of these functions. All the
 * work is behind them, in virt/kvm/introspection and
 * arch/x86/kvm/introspection.
 */
#ifndef __KVMI_HOST_H
#define __KVMI_HOST_H

#include <linux/kvm_host.h>
#include <linux/kvmi.h>

int kvmi_init(void);
void kvmi_exit(void);

int kvmi_check_extension(void);
int kvmi_vm_ioctl(struct kvm *kvm, unsigned int ioctl, void __user *argp);

enum kvmi_vm_state {
	KVMI_VM_UNHOOKED,
	KVMI_VM_HOOKING,	/* HOOK is looking at the VM */
	KVMI_VM_HOOKED,
};

enum kvmi_vm_state kvmi_vm_state(struct kvm *kvm);
bool kvmi_vm_hooked(struct kvm *kvm);
void kvmi_vm_destroy(struct kvm *kvm);

int kvmi_vcpu_create(struct kvm_vcpu *vcpu);
void kvmi_vcpu_destroy(struct kvm_vcpu *vcpu);
int kvmi_vcpu_serve(struct kvm_vcpu *vcpu);
void kvmi_vcpu_serve_outside(struct kvm_vcpu *vcpu);
void __kvmi_vcpu_leave(struct kvm_vcpu *vcpu);
void kvmi_vcpu_recall_pauses(struct kvm_vcpu *vcpu);

DECLARE_STATIC_KEY_FALSE(kvmi_active);

bool kvmi_vcpu_check_repeat(struct kvm_vcpu *vcpu);

/* Where the exception is that a tool wants the guest to get. */
enum kvmi_injection {
	KVMI_INJECTION_NONE,
	KVMI_INJECTION_ASKED,	/* to be told at the head of the run loop */
	KVMI_INJECTION_TOLD,	/* the tool has the TRAP event */
	KVMI_INJECTION_DUE,	/* the next entry to the guest takes it */
	KVMI_INJECTION_QUEUED,	/* KVM has it, until it is delivered */
};

/* What an entry to the guest is for. */
enum kvmi_entry {
	KVMI_ENTRY_PLAIN,
	KVMI_ENTRY_STEPS,	/* one instruction, at most */
	KVMI_ENTRY_DELIVERS,	/* its event, and nothing else */
};

/*
 * The head of the run loop. A request that nobody takes would keep the vCPU
 * out of the guest for ever, so this does not ask whether the VM is hooked.
 * Returns 1 to go on.
 */
static inline int kvmi_vcpu_handle_requests(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active) && vcpu->kvmi_repeats)
		kvmi_vcpu_check_repeat(vcpu);
	if (kvm_check_request(KVM_REQ_INTROSPECTION, vcpu) ||
	    (static_branch_unlikely(&kvmi_active) &&
	     (vcpu->kvmi_steps ||
	      vcpu->kvmi_injection == KVMI_INJECTION_ASKED)))
		return kvmi_vcpu_serve(vcpu);

	return 1;
}

/* KVM_RUN is about to end. */
static inline void kvmi_vcpu_leave(struct kvm_vcpu *vcpu)
{
	if (unlikely(vcpu->kvmi_steps))
		__kvmi_vcpu_leave(vcpu);
}

/* After vcpu->mutex was let go: work that came while it was held. */
static inline void kvmi_vcpu_ioctl_done(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active))
		kvmi_vcpu_recall_pauses(vcpu);
	if (kvm_test_request(KVM_REQ_INTROSPECTION, vcpu))
		kvmi_vcpu_serve_outside(vcpu);
}

/* Asked before an interrupt, an NMI or an SMI is injected. */
static inline bool kvmi_vcpu_holds_interrupts(struct kvm_vcpu *vcpu)
{
	return static_branch_unlikely(&kvmi_active) &&
	       (vcpu->kvmi_steps ||
		(vcpu->kvmi_repeats && kvmi_vcpu_check_repeat(vcpu)));
}

#endif /* __KVMI_HOST_H */
