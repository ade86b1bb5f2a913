// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: registers, in commands and in events.
 *
 * Always with the vCPU loaded, so that KVM's getters find them in the VMCB or
 * the VMCS.
 */
#include <linux/kvmi_host.h>
#include <linux/slab.h>

#include "kvm_cache_regs.h"
#include "x86.h"

#include "../../../../virt/kvm/introspection/introspection.h"

static u8 address_bytes(struct kvm_vcpu *vcpu)
{
	int db, l;

	kvm_x86_call(get_cs_db_l_bits)(vcpu, &db, &l);
	if (is_long_mode(vcpu) && l)
		return 8;

	return db ? 4 : 2;
}

static void get_msr(struct kvm_vcpu *vcpu, u32 index, u64 *value)
{
	if (__kvm_get_msr(vcpu, index, value, true))
		*value = 0;
}

void kvmi_arch_event_fill(struct kvm_vcpu *vcpu,
			  struct kvmi_vcpu_event_arch *arch)
{
	arch->mode = address_bytes(vcpu);
	kvm_get_regs_loaded(vcpu, &arch->regs);
	kvm_get_sregs_loaded(vcpu, &arch->sregs);
	get_msr(vcpu, MSR_IA32_SYSENTER_CS, &arch->msrs.sysenter_cs);
	get_msr(vcpu, MSR_IA32_SYSENTER_ESP, &arch->msrs.sysenter_esp);
	get_msr(vcpu, MSR_IA32_SYSENTER_EIP, &arch->msrs.sysenter_eip);
	get_msr(vcpu, MSR_EFER, &arch->msrs.efer);
	get_msr(vcpu, MSR_STAR, &arch->msrs.star);
	get_msr(vcpu, MSR_LSTAR, &arch->msrs.lstar);
	get_msr(vcpu, MSR_CSTAR, &arch->msrs.cstar);
	get_msr(vcpu, MSR_IA32_CR_PAT, &arch->msrs.pat);
	get_msr(vcpu, MSR_KERNEL_GS_BASE, &arch->msrs.shadow_gs);
}

/*
 * KVM_SET_REGS also throws away a pending exception; a tool that changes a
 * register does not mean that. Returns true if the vCPU goes on elsewhere.
 */
bool kvmi_arch_set_regs(struct kvm_vcpu *vcpu, const struct kvm_regs *regs)
{
	unsigned long rip = kvm_rip_read(vcpu);

	vcpu->arch.emulate_regs_need_sync_from_vcpu = true;
	vcpu->arch.emulate_regs_need_sync_to_vcpu = false;

	kvm_rax_write(vcpu, regs->rax);
	kvm_rbx_write(vcpu, regs->rbx);
	kvm_rcx_write(vcpu, regs->rcx);
	kvm_rdx_write(vcpu, regs->rdx);
	kvm_rsi_write(vcpu, regs->rsi);
	kvm_rdi_write(vcpu, regs->rdi);
	kvm_rsp_write(vcpu, regs->rsp);
	kvm_rbp_write(vcpu, regs->rbp);
	kvm_r8_write(vcpu, regs->r8);
	kvm_r9_write(vcpu, regs->r9);
	kvm_r10_write(vcpu, regs->r10);
	kvm_r11_write(vcpu, regs->r11);
	kvm_r12_write(vcpu, regs->r12);
	kvm_r13_write(vcpu, regs->r13);
	kvm_r14_write(vcpu, regs->r14);
	kvm_r15_write(vcpu, regs->r15);
	kvm_rip_write(vcpu, regs->rip);
	kvm_set_rflags(vcpu, regs->rflags | X86_EFLAGS_FIXED);
	kvm_make_request(KVM_REQ_EVENT, vcpu);
	/* In a pause, with an exception on its way: it goes along. */
	vcpu->kvmi->exception.rip = kvm_get_linear_rip(vcpu);

	return regs->rip != rip;
}

static int get_msrs(struct kvm_vcpu *vcpu, const u32 *index,
		    struct kvm_msr_entry *msrs, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		msrs[i].index = index[i];
		if (__kvm_get_msr(vcpu, index[i], &msrs[i].data, true))
			return -KVM_EINVAL;
	}

	return 0;
}

static int check_request(const struct kvmi_msg *msg,
			 const struct kvmi_vcpu_get_registers *req)
{
	struct kvmi_vcpu_get_registers_reply *rpl;
	size_t request = sizeof(struct kvmi_vcpu_hdr) +
			 struct_size(req, msrs_idx, req->nmsrs);
	size_t reply = sizeof(struct kvmi_error_code) +
		       struct_size(rpl, msrs, req->nmsrs);

	if (req->padding1 || req->padding2)
		return -KVM_EINVAL;
	if (req->nmsrs && msg->hdr.size < request)
		return -KVM_EINVAL;

	return reply > KVMI_MAX_MSG_SIZE ? -KVM_EINVAL : 0;
}

int handle_vcpu_get_registers(struct kvmi_session *session,
			      struct kvm_vcpu *vcpu,
			      const struct kvmi_msg *msg)
{
	const struct kvmi_vcpu_get_registers *req =
		(const void *)(msg->data + sizeof(struct kvmi_vcpu_hdr));
	struct kvmi_vcpu_get_registers_reply *rpl;
	size_t size;
	int err, r;

	err = check_request(msg, req);
	if (err)
		return kvmi_reply(session, msg, err, NULL, 0);

	size = struct_size(rpl, msrs, req->nmsrs);
	rpl = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!rpl)
		return kvmi_reply(session, msg, -KVM_ENOMEM, NULL, 0);

	rpl->mode = address_bytes(vcpu);
	kvm_get_regs_loaded(vcpu, &rpl->regs);
	kvm_get_sregs_loaded(vcpu, &rpl->sregs);
	rpl->nmsrs = req->nmsrs;
	err = get_msrs(vcpu, req->msrs_idx, rpl->msrs, req->nmsrs);

	r = kvmi_reply(session, msg, err, rpl, size);
	kfree(rpl);

	return r;
}
