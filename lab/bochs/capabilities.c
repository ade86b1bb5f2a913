// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor says that it has. The models of Bochs are those of its
 * authors; LAB_BOCHS_WITH and LAB_BOCHS_WITHOUT name what a run wants to differ.
 *
 *	with monitor-trap	the control that monitor-trap.c carries out
 *	with posted-interrupts	the control and its fields of the VMCS, without
 *				which KVM leaves the virtual APIC alone. A
 *				notification is never processed: none comes
 *				while the guest of the one processor runs.
 *	with decode-assists	of SVM: they are there, and CPUID hides them
 *	without execute-only	rights of EPT
 *	without descriptor-exiting	the control of loads and stores of GDTR and
 *				the like
 *	without monitor-trap	whatever the model has
 */
#include <string.h>

#include "redirect.h"

#define MONITOR_TRAP		(1u << 5)
#define DESCRIPTOR_EXITING	(1u << 14)
#define POSTED_INTERRUPTS	(1u << 7)
#define EXECUTE_ONLY		(1ull << 0)
#define DECODE_ASSISTS		(1u << 7)

/* Encodings of VMCS fields, the high half of the second one included. */
#define NOTIFICATION_VECTOR	0x0002
#define DESCRIPTOR_ADDRESS	0x2016

static void (*set_capabilities)(struct processor *cpu);
static bool (*has_field)(struct processor *cpu, uint32_t encoding);

static void set_our_capabilities(struct processor *cpu)
{
	if (wanted("LAB_BOCHS_WITH", "monitor-trap"))
		vmx_extensions(cpu) |= MONITOR_TRAP;
	if (wanted("LAB_BOCHS_WITHOUT", "monitor-trap"))
		vmx_extensions(cpu) &= ~MONITOR_TRAP;
	if (wanted("LAB_BOCHS_WITHOUT", "descriptor-exiting"))
		vmx_extensions(cpu) &= ~DESCRIPTOR_EXITING;
	set_capabilities(cpu);
	if (wanted("LAB_BOCHS_WITH", "posted-interrupts"))
		pin_allowed(cpu) |= POSTED_INTERRUPTS;
	if (wanted("LAB_BOCHS_WITHOUT", "execute-only"))
		ept_vpid_capabilities(cpu) &= ~EXECUTE_ONLY;
}

static bool has_our_field(struct processor *cpu, uint32_t encoding)
{
	if (wanted("LAB_BOCHS_WITH", "posted-interrupts") &&
	    (encoding == NOTIFICATION_VECTOR ||
	     (encoding & ~1u) == DESCRIPTOR_ADDRESS))
		return true;
	return has_field(cpu, encoding);
}

/* "mov $features, %eax; ret" is the whole function. */
static void show_decode_assists(void)
{
	uint8_t *code = code_of("_ZNK7ryzen_t26get_svm_extensions_bitmaskEv", NULL);
	uint32_t features;

	if (code[0] != 0xb8 || code[5] != 0xc3)
		give_up("SVM's features are told in another way");
	memcpy(&features, code + 1, sizeof(features));
	features |= DECODE_ASSISTS;
	write_code(code + 1, &features, sizeof(features));
}

void install_capabilities(void)
{
	set_capabilities = redirect("_ZN8BX_CPU_C9init_VMCSEv",
				    "_ZN8BX_CPU_C21init_vmx_capabilitiesEv",
				    set_our_capabilities);
	has_field = redirect("_ZN8BX_CPU_C9init_VMCSEv",
			     "_ZN8BX_CPU_C20vmcs_field_supportedEj",
			     has_our_field);
	if (wanted("LAB_BOCHS_WITH", "decode-assists"))
		show_decode_assists();
}
