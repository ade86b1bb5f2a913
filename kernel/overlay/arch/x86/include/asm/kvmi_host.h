/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM introspection on x86: what the hooks in KVM's own files call.
 */
#ifndef _ASM_X86_KVMI_HOST_H
#define _ASM_X86_KVMI_HOST_H

#include <linux/kvm_host.h>
#include <linux/kvmi_host.h>

/* What an entry that is to be left after a step has changed; see svm/step.c. */
struct kvmi_step_arch {
	u32 intercepts[6];
	u64 efer;
	u64 dr6;
	u32 nmi;		/* virtual, and pending */
	unsigned long iret_rip;	/* linear */
	bool armed;
	bool tf;		/* the guest's own */
	bool iret;		/* intercepted, to be executed now */
	bool trapped;		/* by our flag, not by the guest's */
};

bool kvmi_watches_cr(struct kvm_vcpu *vcpu, int cr);
bool kvmi_wants_breakpoints(struct kvm_vcpu *vcpu);
bool __kvmi_watches_msr(struct kvm_vcpu *vcpu, u32 msr);
void kvmi_walk_watched_msrs(struct kvm_vcpu *vcpu,
			    void (*call)(struct kvm_vcpu *vcpu, u32 msr));
bool kvmi_wants_descriptors(struct kvm_vcpu *vcpu);

bool __kvmi_cr_write(struct kvm_vcpu *vcpu, int cr, unsigned long *val);
bool __kvmi_emulated_cr_write(struct kvm_vcpu *vcpu, int cr,
			      unsigned long *val);
bool __kvmi_insn_aborted(struct kvm_vcpu *vcpu);
bool __kvmi_breakpoint(struct kvm_vcpu *vcpu, u8 insn_len);
bool __kvmi_hypercall(struct kvm_vcpu *vcpu, int *r);
bool __kvmi_nested_entry_waits(struct kvm_vcpu *vcpu);
bool __kvmi_nested_entry_fails(struct kvm_vcpu *vcpu);
bool __kvmi_refuses_nested_state(struct kvm_vcpu *vcpu,
				 const struct kvm_nested_state *state);
bool kvmi_take_hypercall(struct kvm_vcpu *vcpu);
bool __kvmi_took_hypercall(struct kvm_vcpu *vcpu);
int kvmi_skip_hypercall(struct kvm_vcpu *vcpu);
void __kvmi_inject_exception(struct kvm_vcpu *vcpu);
bool __kvmi_exception_keeps_rip(struct kvm_vcpu *vcpu);
void kvmi_drop_exception(struct kvm_vcpu *vcpu);
void kvmi_hide_soft_exception(struct kvm_vcpu *vcpu);
int __kvmi_page_fault(struct kvm_vcpu *vcpu, struct kvm_page_fault *fault);
unsigned int __kvmi_page_rights(struct kvm_vcpu *vcpu, gfn_t gfn);
int __kvmi_max_mapping_level(struct kvm *kvm, gfn_t gfn, int level);
bool __kvmi_restricts(struct kvm_vcpu *vcpu);
bool __kvmi_emulated_access(struct kvm_vcpu *vcpu, gva_t gva,
			    unsigned int bytes, u64 pfec);
bool __kvmi_translation_changed(struct kvm_vcpu *vcpu, gpa_t gpa, u64 pfec);
bool __kvmi_physical_access(struct kvm_vcpu *vcpu, gpa_t gpa, bool write);
bool __kvmi_emulated_input(struct kvm_vcpu *vcpu, unsigned int bytes);
bool __kvmi_emulation_failed(struct kvm_vcpu *vcpu, gpa_t gpa, bool decoded);
void __kvmi_decode(struct kvm_vcpu *vcpu, bool skips);
void __kvmi_insn_done(struct kvm_vcpu *vcpu);
void __kvmi_insn_left(struct kvm_vcpu *vcpu);
void __kvmi_enter_guest(struct kvm_vcpu *vcpu);
void __kvmi_flushed(struct kvm_vcpu *vcpu);
bool __kvmi_in_step_view(struct kvm_vcpu *vcpu);
void kvmi_tdp_mmu_zap_step_view(struct kvm *kvm, gfn_t gfn);
bool __kvmi_msr_write(struct kvm_vcpu *vcpu, u32 msr, u64 *val);
bool __kvmi_emulated_msr_write(struct kvm_vcpu *vcpu, u32 msr, u64 *val);
bool __kvmi_emulated_descriptor(struct kvm_vcpu *vcpu, int intercept);
bool __kvmi_xcr_write(struct kvm_vcpu *vcpu, u32 index, u64 val);
bool __kvmi_emulated_xcr_write(struct kvm_vcpu *vcpu, u32 index, u64 val);

/* A fault of the TDP MMU; RET_PF_CONTINUE for one that is KVM's. */
static inline int kvmi_page_fault(struct kvm_vcpu *vcpu,
				  struct kvm_page_fault *fault)
{
	if (!static_branch_unlikely(&kvmi_active))
		return 0;

	return __kvmi_page_fault(vcpu, fault);
}

/* All rights, or those that a translation of the page may have now. */
static inline unsigned int kvmi_page_rights(struct kvm_vcpu *vcpu, gfn_t gfn,
					    unsigned int all)
{
	if (!static_branch_unlikely(&kvmi_active))
		return all;

	return __kvmi_page_rights(vcpu, gfn);
}

/* The highest level, up to this, without a restricted page. */
static inline int kvmi_max_mapping_level(struct kvm *kvm, gfn_t gfn, int level)
{
	if (!static_branch_unlikely(&kvmi_active))
		return level;

	return __kvmi_max_mapping_level(kvm, gfn, level);
}

/* Whether any page of the VM is restricted. */
static inline bool kvmi_restricts(struct kvm_vcpu *vcpu)
{
	return static_branch_unlikely(&kvmi_active) && __kvmi_restricts(vcpu);
}

/*
 * Before the emulator reads, writes or fetches guest memory, as pfec says.
 * Returns true if it must not; kvmi_insn_aborted() then tells.
 */
static inline bool kvmi_emulated_access(struct kvm_vcpu *vcpu, gva_t gva,
					unsigned int bytes, u64 pfec)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_access(vcpu, gva, bytes, pfec);
}

/*
 * With the address that an access will have, after kvmi_emulated_access() for
 * the one that it had. Returns true if it must not; kvmi_insn_aborted() tells.
 */
static inline bool kvmi_translation_changed(struct kvm_vcpu *vcpu, gpa_t gpa,
					    u64 pfec)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_translation_changed(vcpu, gpa, pfec);
}

/*
 * Before an exit handler reads or writes what a register points at. Returns
 * true if it must return 1 without effect.
 */
static inline bool kvmi_physical_access(struct kvm_vcpu *vcpu, gpa_t gpa,
					bool write)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_physical_access(vcpu, gpa, write);
}

/*
 * The emulator does not know an instruction. Returns true if that is at a
 * restricted page and is to be left without effect.
 */
static inline bool kvmi_emulation_failed(struct kvm_vcpu *vcpu,
					 int emulation_type, gpa_t gpa,
					 bool decoded)
{
	return static_branch_unlikely(&kvmi_active) &&
	       emulation_type & EMULTYPE_PF &&
	       __kvmi_emulation_failed(vcpu, gpa, decoded);
}

/*
 * Before the emulator reads as many bytes from a device, for what the
 * instruction will write. Returns true if it must not.
 */
static inline bool kvmi_emulated_input(struct kvm_vcpu *vcpu,
				       unsigned int bytes)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_input(vcpu, bytes);
}

/* Which root of the TDP MMU is this vCPU's. */
static inline bool kvmi_in_step_view(struct kvm_vcpu *vcpu)
{
	return unlikely(vcpu->kvmi_steps) && __kvmi_in_step_view(vcpu);
}

/* Before the emulator fetches; what is only to be skipped has been executed. */
static inline void kvmi_decode(struct kvm_vcpu *vcpu, int emulation_type)
{
	if (static_branch_unlikely(&kvmi_active))
		__kvmi_decode(vcpu, emulation_type & EMULTYPE_SKIP);
}

/* What was granted to an instruction ends with it, and so does a step. */
static inline void kvmi_insn_done(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active))
		__kvmi_insn_done(vcpu);
}

/* With an exception, or with a part of its work, it ends as well. */
static inline void kvmi_insn_left(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active))
		__kvmi_insn_left(vcpu);
}

/* Just before an entry, after KVM has decided what it injects. */
static inline void kvmi_enter_guest(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active))
		__kvmi_enter_guest(vcpu);
}

/* What the processor remembers of the guest's memory is about to go. */
static inline void kvmi_flushed(struct kvm_vcpu *vcpu)
{
	if (static_branch_unlikely(&kvmi_active))
		__kvmi_flushed(vcpu);
}

/* Asked on fast paths, for every VM. */
static inline bool kvmi_watches_msr(struct kvm_vcpu *vcpu, u32 msr)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_watches_msr(vcpu, msr);
}

/*
 * An exit handler is about to write a control register. Returns true if it must
 * return 1 without effect; may change the value.
 */
static inline bool kvmi_cr_write(struct kvm_vcpu *vcpu, int cr,
				 unsigned long *val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_cr_write(vcpu, cr, val);
}

/* The same in the emulator, which kvmi_insn_aborted() then tells. */
static inline bool kvmi_emulated_cr_write(struct kvm_vcpu *vcpu, int cr,
					  unsigned long *val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_cr_write(vcpu, cr, val);
}

/* The session can be over by now, so this does not ask for one. */
static inline bool kvmi_insn_aborted(struct kvm_vcpu *vcpu)
{
	return vcpu->kvmi && __kvmi_insn_aborted(vcpu);
}

/*
 * INT3 was intercepted. Returns false if the interception is user space's. One
 * of ours can outlive the session, so this does not ask whether there is one.
 */
static inline bool kvmi_breakpoint(struct kvm_vcpu *vcpu, u8 insn_len)
{
	return __kvmi_breakpoint(vcpu, insn_len);
}

static inline bool kvmi_hypercall(struct kvm_vcpu *vcpu, int *r)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_hypercall(vcpu, r);
}

/* A vCPU is about to enter a guest of its own, by an instruction. */
static inline bool kvmi_nested_entry_waits(struct kvm_vcpu *vcpu)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_nested_entry_waits(vcpu);
}

static inline bool kvmi_nested_entry_fails(struct kvm_vcpu *vcpu)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_nested_entry_fails(vcpu);
}

/* User space is about to restore the state of a vCPU with nested guests. */
static inline bool
kvmi_refuses_nested_state(struct kvm_vcpu *vcpu,
			  const struct kvm_nested_state *state)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_refuses_nested_state(vcpu, state);
}

/* The hypercall at RIP is one that the emulator left to us. */
static inline bool kvmi_took_hypercall(struct kvm_vcpu *vcpu)
{
	return unlikely(vcpu->kvmi_hypercall) && __kvmi_took_hypercall(vcpu);
}

/*
 * An entry to the guest is about to get its event. What a tool has been told is
 * delivered also when its session is over, so these ask for no session.
 */
static inline void kvmi_inject_exception(struct kvm_vcpu *vcpu)
{
	if (unlikely(vcpu->kvmi_injection))
		__kvmi_inject_exception(vcpu);
}

/* True if an exception waits until another event has been delivered. */
static inline bool kvmi_has_exception(struct kvm_vcpu *vcpu)
{
	return unlikely(vcpu->kvmi_injection == KVMI_INJECTION_DUE);
}

/* True for #BP and #OF that are not of the instruction at RIP. */
static inline bool kvmi_exception_keeps_rip(struct kvm_vcpu *vcpu)
{
	return unlikely(vcpu->kvmi_injection == KVMI_INJECTION_QUEUED) &&
	       __kvmi_exception_keeps_rip(vcpu);
}

/* WRMSR, in its exit handler and in the emulator; may change the value. */
static inline bool kvmi_msr_write(struct kvm_vcpu *vcpu, u32 msr, u64 *val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_msr_write(vcpu, msr, val);
}

static inline bool kvmi_emulated_msr_write(struct kvm_vcpu *vcpu, u32 msr,
					   u64 *val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_msr_write(vcpu, msr, val);
}

/* The emulator is about to execute what it calls by an enum x86_intercept. */
static inline bool kvmi_emulated_descriptor(struct kvm_vcpu *vcpu,
					    int intercept)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_descriptor(vcpu, intercept);
}

/* XSETBV of a value that is valid, in its exit handler and in the emulator. */
static inline bool kvmi_xcr_write(struct kvm_vcpu *vcpu, u32 index, u64 val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_xcr_write(vcpu, index, val);
}

static inline bool kvmi_emulated_xcr_write(struct kvm_vcpu *vcpu, u32 index,
					   u64 val)
{
	return static_branch_unlikely(&kvmi_active) &&
	       __kvmi_emulated_xcr_write(vcpu, index, val);
}

#endif /* _ASM_X86_KVMI_HOST_H */
