/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The layout that programs were compiled with: every size and offset, asserted
 * by the library and by its tests, in C and in C++.
 */
#ifndef KVMI_COMPAT_LAYOUT_H
#define KVMI_COMPAT_LAYOUT_H

#include <libkvmi.h>

#ifdef __cplusplus
#define LAYOUT_ASSERT(what) static_assert(what, #what)
#else
#define LAYOUT_ASSERT(what) _Static_assert(what, #what)
#endif

#define LAYOUT_SIZE(type, bytes) LAYOUT_ASSERT(sizeof(struct type) == (bytes))
#define LAYOUT_AT(type, field, at, bytes) \
	LAYOUT_ASSERT(offsetof(struct type, field) == (at)); \
	LAYOUT_ASSERT(sizeof(((struct type *)0)->field) == (bytes))

LAYOUT_SIZE(kvmi_dom_event, 8768);
LAYOUT_AT(kvmi_dom_event, next, 0, 8);
LAYOUT_AT(kvmi_dom_event, event, 8, 568);
LAYOUT_AT(kvmi_dom_event, event.common, 8, 544);
LAYOUT_AT(kvmi_dom_event, event.cr, 552, 24);
LAYOUT_AT(kvmi_dom_event, event.msr, 552, 24);
LAYOUT_AT(kvmi_dom_event, event.breakpoint, 552, 16);
LAYOUT_AT(kvmi_dom_event, event.page_fault, 552, 24);
LAYOUT_AT(kvmi_dom_event, event.trap, 552, 16);
LAYOUT_AT(kvmi_dom_event, event.desc, 552, 8);
LAYOUT_AT(kvmi_dom_event, event.cpuid, 552, 16);
LAYOUT_AT(kvmi_dom_event, event.ss, 552, 8);
LAYOUT_AT(kvmi_dom_event, buf, 576, 8184);
LAYOUT_AT(kvmi_dom_event, seq, 8760, 4);

LAYOUT_SIZE(kvmi_event, 544);
LAYOUT_AT(kvmi_event, size, 0, 2);
LAYOUT_AT(kvmi_event, vcpu, 2, 2);
LAYOUT_AT(kvmi_event, event, 4, 1);
LAYOUT_AT(kvmi_event, padding, 5, 3);
LAYOUT_AT(kvmi_event, arch, 8, 536);

LAYOUT_SIZE(kvmi_event_arch, 536);
LAYOUT_AT(kvmi_event_arch, mode, 0, 1);
LAYOUT_AT(kvmi_event_arch, view, 2, 2);
LAYOUT_AT(kvmi_event_arch, padding2, 4, 4);
LAYOUT_AT(kvmi_event_arch, regs, 8, 144);
LAYOUT_AT(kvmi_event_arch, sregs, 152, 312);
LAYOUT_AT(kvmi_event_arch, msrs, 464, 72);
LAYOUT_AT(kvmi_event_arch, msrs.sysenter_cs, 464, 8);
LAYOUT_AT(kvmi_event_arch, msrs.sysenter_esp, 472, 8);
LAYOUT_AT(kvmi_event_arch, msrs.sysenter_eip, 480, 8);
LAYOUT_AT(kvmi_event_arch, msrs.efer, 488, 8);
LAYOUT_AT(kvmi_event_arch, msrs.star, 496, 8);
LAYOUT_AT(kvmi_event_arch, msrs.lstar, 504, 8);
LAYOUT_AT(kvmi_event_arch, msrs.cstar, 512, 8);
LAYOUT_AT(kvmi_event_arch, msrs.pat, 520, 8);
LAYOUT_AT(kvmi_event_arch, msrs.shadow_gs, 528, 8);

LAYOUT_SIZE(kvmi_event_cr, 24);
LAYOUT_AT(kvmi_event_cr, cr, 0, 2);
LAYOUT_AT(kvmi_event_cr, padding, 2, 6);
LAYOUT_AT(kvmi_event_cr, old_value, 8, 8);
LAYOUT_AT(kvmi_event_cr, new_value, 16, 8);
LAYOUT_SIZE(kvmi_event_msr, 24);
LAYOUT_AT(kvmi_event_msr, msr, 0, 4);
LAYOUT_AT(kvmi_event_msr, padding, 4, 4);
LAYOUT_AT(kvmi_event_msr, old_value, 8, 8);
LAYOUT_AT(kvmi_event_msr, new_value, 16, 8);
LAYOUT_SIZE(kvmi_event_breakpoint, 16);
LAYOUT_AT(kvmi_event_breakpoint, gpa, 0, 8);
LAYOUT_AT(kvmi_event_breakpoint, insn_len, 8, 1);
LAYOUT_SIZE(kvmi_event_pf, 24);
LAYOUT_AT(kvmi_event_pf, gva, 0, 8);
LAYOUT_AT(kvmi_event_pf, gpa, 8, 8);
LAYOUT_AT(kvmi_event_pf, access, 16, 1);
LAYOUT_AT(kvmi_event_pf, view, 18, 2);
LAYOUT_AT(kvmi_event_pf, padding2, 20, 4);
LAYOUT_SIZE(kvmi_event_pf_reply, 272);
LAYOUT_AT(kvmi_event_pf_reply, ctx_addr, 0, 8);
LAYOUT_AT(kvmi_event_pf_reply, ctx_size, 8, 4);
LAYOUT_AT(kvmi_event_pf_reply, singlestep, 12, 1);
LAYOUT_AT(kvmi_event_pf_reply, rep_complete, 13, 1);
LAYOUT_AT(kvmi_event_pf_reply, padding, 14, 2);
LAYOUT_AT(kvmi_event_pf_reply, ctx_data, 16, 256);
LAYOUT_SIZE(kvmi_event_trap, 16);
LAYOUT_AT(kvmi_event_trap, vector, 0, 1);
LAYOUT_AT(kvmi_event_trap, padding2, 2, 2);
LAYOUT_AT(kvmi_event_trap, error_code, 4, 4);
LAYOUT_AT(kvmi_event_trap, cr2, 8, 8);
LAYOUT_SIZE(kvmi_event_descriptor, 8);
LAYOUT_AT(kvmi_event_descriptor, descriptor, 0, 1);
LAYOUT_AT(kvmi_event_descriptor, write, 1, 1);
LAYOUT_SIZE(kvmi_event_cpuid, 16);
LAYOUT_AT(kvmi_event_cpuid, function, 0, 4);
LAYOUT_AT(kvmi_event_cpuid, index, 4, 4);
LAYOUT_AT(kvmi_event_cpuid, insn_length, 8, 1);
LAYOUT_AT(kvmi_event_cpuid, padding2, 12, 4);
LAYOUT_SIZE(kvmi_event_singlestep, 8);
LAYOUT_AT(kvmi_event_singlestep, failed, 0, 1);
LAYOUT_SIZE(kvmi_event_cr_reply, 8);
LAYOUT_SIZE(kvmi_event_msr_reply, 8);
LAYOUT_SIZE(kvmi_event_reply, 8);
LAYOUT_AT(kvmi_event_reply, action, 0, 1);
LAYOUT_AT(kvmi_event_reply, event, 1, 1);
LAYOUT_AT(kvmi_event_reply, padding1, 2, 2);
LAYOUT_AT(kvmi_event_reply, padding2, 4, 4);

LAYOUT_SIZE(kvmi_vcpu_hdr, 8);
LAYOUT_AT(kvmi_vcpu_hdr, vcpu, 0, 2);
LAYOUT_AT(kvmi_vcpu_hdr, padding1, 2, 2);
LAYOUT_AT(kvmi_vcpu_hdr, padding2, 4, 4);
LAYOUT_SIZE(kvmi_features, 8);
LAYOUT_AT(kvmi_features, spp, 0, 1);
LAYOUT_AT(kvmi_features, vmfunc, 1, 1);
LAYOUT_AT(kvmi_features, eptp, 2, 1);
LAYOUT_AT(kvmi_features, ve, 3, 1);
LAYOUT_SIZE(kvmi_qemu2introspector, 96);
LAYOUT_AT(kvmi_qemu2introspector, struct_size, 0, 4);
LAYOUT_AT(kvmi_qemu2introspector, uuid, 4, 16);
LAYOUT_AT(kvmi_qemu2introspector, padding, 20, 4);
LAYOUT_AT(kvmi_qemu2introspector, start_time, 24, 8);
LAYOUT_AT(kvmi_qemu2introspector, name, 32, 64);
LAYOUT_SIZE(kvmi_introspector2qemu, 24);
LAYOUT_AT(kvmi_introspector2qemu, struct_size, 0, 4);
LAYOUT_AT(kvmi_introspector2qemu, cookie_hash, 4, 20);

#endif
