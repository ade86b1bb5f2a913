// SPDX-License-Identifier: LGPL-2.1-or-later
/* Instructions: read where a vCPU is, and measured by Zydis. */
#include <errno.h>

#include <Zydis/Zydis.h>

#include "event.h"
#include "vm.h"

#define PAGE_SIZE	4096
#define CR0_PE		1
#define EFER_LMA	(1 << 10)

_Static_assert(KVMI_INSTRUCTION_MAX == ZYDIS_MAX_INSTRUCTION_LENGTH,
	       "bytes of an instruction");

static ZydisMachineMode machine_mode(const struct kvmi_vcpu_event_arch *arch)
{
	bool is_long = arch->sregs.efer & EFER_LMA;

	switch (arch->mode) {
	case 8:
		return ZYDIS_MACHINE_MODE_LONG_64;
	case 4:
		return is_long ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32 :
				 ZYDIS_MACHINE_MODE_LEGACY_32;
	default:
		if (!(arch->sregs.cr0 & CR0_PE))
			return ZYDIS_MACHINE_MODE_REAL_16;
		return is_long ? ZYDIS_MACHINE_MODE_LONG_COMPAT_16 :
				 ZYDIS_MACHINE_MODE_LEGACY_16;
	}
}

/* The width of the stack changes no length; it has to fit the mode. */
static ZydisStackWidth stack_width(const struct kvmi_vcpu_event_arch *arch)
{
	return arch->mode == 8 ? ZYDIS_STACK_WIDTH_64 :
	       arch->mode == 4 ? ZYDIS_STACK_WIDTH_32 : ZYDIS_STACK_WIDTH_16;
}

/* Returns the length, or 0 if it takes more bytes to tell. */
static int measure(const struct kvmi_vcpu_event_arch *arch, const uint8_t *code,
		   size_t size)
{
	ZydisDecodedInstruction instruction;
	ZydisDecoder decoder;
	ZyanStatus status;

	status = ZydisDecoderInit(&decoder, machine_mode(arch),
				  stack_width(arch));
	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderDecodeInstruction(&decoder, NULL, code,
						       size, &instruction);
	if (status == ZYDIS_STATUS_NO_MORE_DATA)
		return 0;
	return ZYAN_SUCCESS(status) ? instruction.length : -EILSEQ;
}

/* Segments have a base and addresses 32 bits, but in 64-bit code. */
static uint64_t linear_address(const struct kvmi_vcpu_event_arch *arch,
			       size_t offset)
{
	if (arch->mode == 8)
		return arch->regs.rip + offset;
	return (uint32_t)(arch->sregs.cs.base + arch->regs.rip + offset);
}

/* Reads to the end of the page at most. Returns how many bytes. */
static int read_piece(struct kvmi_vm *vm, unsigned int vcpu, uint64_t gva,
		      uint8_t *code, size_t size)
{
	size_t to_end = PAGE_SIZE - gva % PAGE_SIZE;
	uint64_t gpa;
	int err;

	if (size > to_end)
		size = to_end;
	err = kvmi_vcpu_translate_gva(vm, vcpu, gva, &gpa);
	if (err)
		return err;
	if (gpa == UINT64_MAX)
		return -EFAULT;
	err = kvmi_vm_read_physical(vm, gpa, code, size);
	if (err == -ENOENT)
		return -EFAULT;
	return err ? err : (int)size;
}

/* What ends in its page is not looked for in the next, which may be away. */
int kvmi_event_read_instruction(struct kvmi_vm *vm,
				const struct kvmi_event *event, uint8_t *code)
{
	const struct kvmi_vcpu_event *state = event->state;
	size_t size = 0;
	int n;

	if (!state)
		return -EINVAL;
	do {
		n = read_piece(vm, state->vcpu,
			       linear_address(&state->arch, size), code + size,
			       KVMI_INSTRUCTION_MAX - size);
		if (n < 0)
			return n;
		size += (size_t)n;
		n = measure(&state->arch, code, size);
	} while (!n && size < KVMI_INSTRUCTION_MAX);

	return n ? n : -EILSEQ;
}
