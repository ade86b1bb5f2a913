// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM introspection on x86: instructions that the processor does not do by
 * itself while it is stopped after each.
 */
#include <linux/kvmi_host.h>
#include <asm/kvmi_host.h>

#include "kvm_cache_regs.h"
#include "page.h"
#include "x86.h"

#define WITH_ERROR_CODE (BIT(DF_VECTOR) | BIT(TS_VECTOR) | BIT(NP_VECTOR) | \
			 BIT(SS_VECTOR) | BIT(GP_VECTOR) | BIT(PF_VECTOR) | \
			 BIT(AC_VECTOR) | BIT(X86_TRAP_CP))

#define INSN_MAX	15

struct insn {
	u8 op[2];	/* behind the prefixes */
	u8 rex;
};

static bool is_prefix(u8 byte)
{
	static const u8 prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67,
		0xf0, 0xf2, 0xf3,
	};

	return memchr(prefixes, byte, sizeof(prefixes));
}

/* Who peeks does not ask; 0 where nothing can be read. */
static u8 read_byte(struct kvm_vcpu *vcpu, unsigned long gva)
{
	gpa_t gpa = kvmi_arch_gva_to_gpa(vcpu, gva);
	u8 byte;

	if (gpa == INVALID_GPA ||
	    kvm_vcpu_read_guest(vcpu, gpa, &byte, sizeof(byte)))
		return 0;

	return byte;
}

/* What is there now may be something else when it is executed. */
static struct insn peek(struct kvm_vcpu *vcpu)
{
	unsigned long gva = kvm_get_linear_rip(vcpu);
	struct insn insn = {};
	unsigned int i;
	u8 byte = 0;

	for (i = 0; i < INSN_MAX; i++) {
		byte = read_byte(vcpu, gva++);
		if (is_64_bit_mode(vcpu) && (byte & 0xf0) == 0x40)
			insn.rex = byte;
		else if (is_prefix(byte))
			insn.rex = 0;
		else
			break;
	}
	insn.op[0] = byte;
	insn.op[1] = read_byte(vcpu, gva);

	return insn;
}

bool kvmi_insn_loads_ss(struct kvm_vcpu *vcpu)
{
	struct insn insn = peek(vcpu);
	unsigned int reg = insn.op[1] >> 3 & 7;

	if (insn.op[0] == 0x17)
		return !is_64_bit_mode(vcpu);

	return insn.op[0] == 0x8e && reg == VCPU_SREG_SS;
}
EXPORT_SYMBOL_GPL(kvmi_insn_loads_ss);

static void load_flat(struct kvm_vcpu *vcpu, int seg, u16 selector, u8 type,
		      bool wide)
{
	struct kvm_segment segment = {
		.limit = ~0u,
		.selector = selector | 3,
		.type = type,
		.present = 1,
		.dpl = 3,
		.db = !wide,
		.l = wide,
		.s = 1,
		.g = 1,
	};

	kvm_set_segment(vcpu, &segment, seg);
}

static unsigned long sysret_flags(struct kvm_vcpu *vcpu)
{
	if (!is_long_mode(vcpu))
		return kvm_get_rflags(vcpu) | X86_EFLAGS_IF;

	return (kvm_r11_read(vcpu) & 0x3f7fd7 &
		~(X86_EFLAGS_RF | X86_EFLAGS_VM)) | X86_EFLAGS_FIXED;
}

static int sysret(struct kvm_vcpu *vcpu, bool wide)
{
	unsigned long rip = kvm_rcx_read(vcpu);
	u16 selector;
	u64 star;

	if (kvm_x86_call(get_cpl)(vcpu) ||
	    __kvm_get_msr(vcpu, MSR_STAR, &star, true)) {
		kvm_inject_gp(vcpu, 0);
		return 1;
	}

	selector = star >> 48;
	kvm_set_rflags(vcpu, sysret_flags(vcpu));
	load_flat(vcpu, VCPU_SREG_CS, wide ? selector + 16 : selector, 0xb,
		  wide);
	load_flat(vcpu, VCPU_SREG_SS, selector + 8, 0x3, false);
	kvm_rip_write(vcpu, wide ? rip : (u32)rip);
	kvm_x86_call(set_interrupt_shadow)(vcpu, 0);
	__kvmi_insn_done(vcpu);

	return 1;
}

/*
 * SYSCALL and SYSRET are undefined because we have taken away what allows them.
 * Returns false if it is neither, or the guest does not allow it.
 */
bool kvmi_insn_undefined(struct kvm_vcpu *vcpu, int *r)
{
	struct insn insn;

	if (!(vcpu->arch.efer & EFER_SCE) || !is_protmode(vcpu))
		return false;

	insn = peek(vcpu);
	if (insn.op[0] != 0x0f)
		return false;
	if (insn.op[1] == 0x05)
		*r = kvm_emulate_instruction(vcpu, EMULTYPE_TRAP_UD);
	else if (insn.op[1] == 0x07)
		*r = sysret(vcpu, is_64_bit_mode(vcpu) && insn.rex & 8);
	else
		return false;

	return true;
}
EXPORT_SYMBOL_GPL(kvmi_insn_undefined);

/* It is delivered by the next entry, as is what follows. */
void kvmi_insn_faulted(struct kvm_vcpu *vcpu, u8 nr, u64 error_code,
		       u64 address)
{
	struct x86_exception fault = {
		.vector = PF_VECTOR,
		.error_code_valid = true,
		.error_code = error_code,
		.address = address,
	};

	/* The processor has made one of two already. */
	if (nr == DF_VECTOR)
		kvm_clear_exception_queue(vcpu);

	if (nr == PF_VECTOR)
		kvm_inject_page_fault(vcpu, &fault, false);
	else if (WITH_ERROR_CODE & BIT(nr) && is_protmode(vcpu))
		kvm_queue_exception_e(vcpu, nr, error_code);
	else
		kvm_queue_exception(vcpu, nr);
}
EXPORT_SYMBOL_GPL(kvmi_insn_faulted);

/* The step is the delivery, not the way past the instruction. */
int kvmi_insn_icebp(struct kvm_vcpu *vcpu)
{
	if (!kvm_x86_call(skip_emulated_instruction)(vcpu))
		return 0;
	kvm_queue_exception(vcpu, DB_VECTOR);

	return 1;
}
EXPORT_SYMBOL_GPL(kvmi_insn_icebp);

int kvmi_insn_soft_interrupt(struct kvm_vcpu *vcpu)
{
	kvm_queue_interrupt(vcpu, peek(vcpu).op[1], true);
	kvm_make_request(KVM_REQ_EVENT, vcpu);

	return 1;
}
EXPORT_SYMBOL_GPL(kvmi_insn_soft_interrupt);
