/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note OR LGPL-2.1+ */
/*
 * KVMI: the wire's sizes and offsets, asserted by whoever includes this: the
 * kernel, QEMU, the libraries and the tests each do so in one file.
 */
#ifndef _KVMI_ASSERT_H
#define _KVMI_ASSERT_H

#ifndef __KERNEL__
#include <stddef.h>
#endif
#include <linux/kvmi.h>
#include <kvmi/handshake.h>
#include <kvmi/table.h>

#ifdef __cplusplus
#define KVMI_ASSERT(what) static_assert(what, #what)
#else
#define KVMI_ASSERT(what) _Static_assert(what, #what)
#endif

#define KVMI_SIZE(type, bytes) KVMI_ASSERT(sizeof(struct type) == (bytes))
#define KVMI_OFFSET(type, field, bytes) \
	KVMI_ASSERT(offsetof(struct type, field) == (bytes))

KVMI_ASSERT(KVM_INTROSPECTION_HOOK == 0x4018aec8);
KVMI_ASSERT(KVM_INTROSPECTION_UNHOOK == 0x0000aec9);
KVMI_ASSERT(KVM_INTROSPECTION_COMMAND == 0x4008aeca);
KVMI_ASSERT(KVM_INTROSPECTION_EVENT == 0x4008aecb);
KVMI_ASSERT(KVM_INTROSPECTION_PREUNHOOK == 0x0000aecc);

KVMI_SIZE(kvm_introspection_hook, 24);
KVMI_OFFSET(kvm_introspection_hook, uuid, 8);
KVMI_SIZE(kvm_introspection_feature, 8);
KVMI_OFFSET(kvm_introspection_feature, id, 4);

KVMI_ASSERT(KVMI_MAX_MSG_SIZE == 8184);
KVMI_ASSERT(KVMI_VM_SET_PAGE_ACCESS == 22);
KVMI_ASSERT(KVMI_NEXT_VM_MESSAGE == 23);
KVMI_ASSERT(KVMI_VCPU_TRANSLATE_GVA == 29);
KVMI_ASSERT(KVMI_NEXT_VCPU_MESSAGE == 30);
KVMI_ASSERT(KVMI_VCPU_EVENT_SINGLESTEP == 19);
KVMI_ASSERT(KVMI_NEXT_VCPU_EVENT == 20);

KVMI_SIZE(kvmi_msg_hdr, 8);
KVMI_OFFSET(kvmi_msg_hdr, size, 2);
KVMI_OFFSET(kvmi_msg_hdr, seq, 4);
KVMI_SIZE(kvmi_error_code, 8);
KVMI_SIZE(kvmi_vcpu_hdr, 8);
KVMI_OFFSET(kvmi_vcpu_hdr, padding2, 4);
KVMI_SIZE(kvmi_event_hdr, 8);
KVMI_SIZE(kvmi_vcpu_event_reply, 8);
KVMI_OFFSET(kvmi_vcpu_event_reply, event, 1);
KVMI_OFFSET(kvmi_vcpu_event_reply, padding2, 4);

/* An event's data begins 560 bytes into its message. */
KVMI_SIZE(kvmi_vcpu_event, 544);
KVMI_OFFSET(kvmi_vcpu_event, vcpu, 2);
KVMI_OFFSET(kvmi_vcpu_event, arch, 8);
KVMI_SIZE(kvmi_vcpu_event_arch, 536);
KVMI_OFFSET(kvmi_vcpu_event_arch, regs, 8);
KVMI_OFFSET(kvmi_vcpu_event_arch, sregs, 152);
KVMI_OFFSET(kvmi_vcpu_event_arch, msrs, 464);
KVMI_OFFSET(kvmi_vcpu_event_arch, msrs.shadow_gs, 528);

KVMI_SIZE(kvmi_features, 8);
KVMI_OFFSET(kvmi_get_version_reply, features, 8);
KVMI_OFFSET(kvmi_vm_control_events, enable, 2);
KVMI_OFFSET(kvmi_vm_read_physical, size, 8);
KVMI_OFFSET(kvmi_vm_read_physical, padding2, 12);
KVMI_OFFSET(kvmi_vm_write_physical, size, 8);
KVMI_OFFSET(kvmi_vm_write_physical, data, 16);
KVMI_OFFSET(kvmi_vm_pause_vcpu, wait, 2);
KVMI_OFFSET(kvmi_vm_set_page_access, entries, 8);
KVMI_SIZE(kvmi_page_access_entry, 16);
KVMI_OFFSET(kvmi_page_access_entry, access, 8);
KVMI_OFFSET(kvmi_vcpu_control_events, enable, 2);

KVMI_OFFSET(kvmi_vcpu_get_registers, msrs_idx, 8);
KVMI_OFFSET(kvmi_vcpu_get_registers_reply, regs, 8);
KVMI_OFFSET(kvmi_vcpu_get_registers_reply, sregs, 152);
KVMI_OFFSET(kvmi_vcpu_get_registers_reply, nmsrs, 464);
KVMI_OFFSET(kvmi_vcpu_get_registers_reply, msrs, 472);
KVMI_OFFSET(kvmi_vcpu_control_cr, enable, 1);
KVMI_OFFSET(kvmi_vcpu_inject_exception, error_code, 4);
KVMI_OFFSET(kvmi_vcpu_inject_exception, address, 8);
KVMI_OFFSET(kvmi_vcpu_control_msr, msr, 4);

KVMI_OFFSET(kvmi_vcpu_event_pf, gpa, 8);
KVMI_OFFSET(kvmi_vcpu_event_pf, access, 16);
KVMI_OFFSET(kvmi_vcpu_event_breakpoint, insn_len, 8);
KVMI_OFFSET(kvmi_vcpu_event_cr, old_value, 8);
KVMI_OFFSET(kvmi_vcpu_event_cr, new_value, 16);
KVMI_OFFSET(kvmi_vcpu_event_trap, error_code, 4);
KVMI_OFFSET(kvmi_vcpu_event_trap, address, 8);
KVMI_OFFSET(kvmi_vcpu_event_xsetbv, old_value, 8);
KVMI_OFFSET(kvmi_vcpu_event_descriptor, write, 1);
KVMI_OFFSET(kvmi_vcpu_event_msr, old_value, 8);

KVMI_OFFSET(kvmi_qemu2introspector, uuid, 4);
KVMI_OFFSET(kvmi_qemu2introspector, start_time, 24);
KVMI_OFFSET(kvmi_qemu2introspector, name, 32);
KVMI_OFFSET(kvmi_qemu2introspector, max_gpa, 96);
KVMI_SIZE(kvmi_qemu2introspector, 104);
KVMI_SIZE(kvmi_introspector2qemu, 24);
KVMI_OFFSET(kvmi_introspector2qemu, cookie_hash, 4);
KVMI_SIZE(kvmi_handshake_ready, 8);
KVMI_SIZE(kvmi_handshake_record, 8);
KVMI_OFFSET(kvmi_handshake_record, size, 4);
KVMI_SIZE(kvmi_handshake_features, 8);
KVMI_SIZE(kvmi_handshake_area, 24);
KVMI_SIZE(kvmi_handshake_range, 32);
KVMI_OFFSET(kvmi_handshake_range, fd, 24);

/* The table's numbers are the structures'. */
#define KVMI_REQUEST(stem, bytes) KVMI_SIZE(kvmi_##stem, bytes)
#define KVMI_REPLY(stem, bytes) KVMI_SIZE(kvmi_##stem##_reply, bytes)

KVMI_REPLY(get_version, 16);
KVMI_REQUEST(vm_check_command, 8);
KVMI_REQUEST(vm_check_event, 8);
KVMI_REPLY(vm_get_info, 16);
KVMI_REQUEST(vm_control_events, 8);
KVMI_REQUEST(vm_read_physical, 16);
KVMI_REQUEST(vm_write_physical, 16);
KVMI_REQUEST(vm_pause_vcpu, 8);
KVMI_REQUEST(vm_control_cleanup, 8);
KVMI_REPLY(vm_get_max_gfn, 8);
KVMI_REQUEST(vm_set_page_access, 8);
KVMI_REPLY(vcpu_get_info, 8);
KVMI_REQUEST(vcpu_control_events, 8);
KVMI_REQUEST(vcpu_get_registers, 8);
KVMI_REPLY(vcpu_get_registers, 472);
KVMI_SIZE(kvm_regs, 144);
KVMI_SIZE(kvm_sregs, 312);
KVMI_REQUEST(vcpu_get_cpuid, 8);
KVMI_REPLY(vcpu_get_cpuid, 16);
KVMI_REQUEST(vcpu_control_cr, 8);
KVMI_REQUEST(vcpu_inject_exception, 16);
KVMI_REQUEST(vcpu_get_xcr, 8);
KVMI_REPLY(vcpu_get_xcr, 8);
KVMI_REPLY(vcpu_get_xsave, 4096);
KVMI_REQUEST(vcpu_set_xsave, 4096);
KVMI_REQUEST(vcpu_get_mtrr_type, 8);
KVMI_REPLY(vcpu_get_mtrr_type, 8);
KVMI_REQUEST(vcpu_control_msr, 8);
KVMI_REQUEST(vcpu_control_singlestep, 8);
KVMI_REQUEST(vcpu_translate_gva, 8);
KVMI_REPLY(vcpu_translate_gva, 8);
KVMI_SIZE(kvmi_vcpu_event_pf, 24);
KVMI_SIZE(kvmi_vcpu_event_singlestep, 8);
KVMI_SIZE(kvmi_vcpu_event_breakpoint, 16);
KVMI_SIZE(kvmi_vcpu_event_cr, 24);
KVMI_SIZE(kvmi_vcpu_event_cr_reply, 8);
KVMI_SIZE(kvmi_vcpu_event_trap, 16);
KVMI_SIZE(kvmi_vcpu_event_xsetbv, 24);
KVMI_SIZE(kvmi_vcpu_event_descriptor, 8);
KVMI_SIZE(kvmi_vcpu_event_msr, 24);
KVMI_SIZE(kvmi_vcpu_event_msr_reply, 8);

#endif /* _KVMI_ASSERT_H */
