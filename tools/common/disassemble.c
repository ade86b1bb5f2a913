// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions as text. */
#include <Zydis/Zydis.h>

#include "kvmi.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static ZyanStatus decode(unsigned int mode, const uint8_t *code, size_t size,
			 ZydisDecodedInstruction *instruction,
			 ZydisDecodedOperand *operands)
{
	ZydisMachineMode machine = ZYDIS_MACHINE_MODE_LEGACY_16;
	ZydisStackWidth width = ZYDIS_STACK_WIDTH_16;
	ZydisDecoder decoder;
	ZyanStatus status;

	if (mode == 8) {
		machine = ZYDIS_MACHINE_MODE_LONG_64;
		width = ZYDIS_STACK_WIDTH_64;
	} else if (mode == 4) {
		machine = ZYDIS_MACHINE_MODE_LEGACY_32;
		width = ZYDIS_STACK_WIDTH_32;
	}
	status = ZydisDecoderInit(&decoder, machine, width);
	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderDecodeFull(&decoder, code, size,
						instruction, operands);
	return status;
}

static ZyanStatus init(ZydisFormatter *formatter, bool is_intel)
{
	static const struct {
		ZydisFormatterProperty property;
		ZyanUPointer value;
	} wishes[] = {
		{ ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE },
		{ ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
		  ZYDIS_PADDING_DISABLED },
		{ ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED },
		{ ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED },
	};
	ZyanStatus status;
	size_t i;

	status = ZydisFormatterInit(formatter, is_intel ?
				    ZYDIS_FORMATTER_STYLE_INTEL :
				    ZYDIS_FORMATTER_STYLE_ATT);
	for (i = 0; i < COUNT(wishes) && ZYAN_SUCCESS(status); i++)
		status = ZydisFormatterSetProperty(formatter,
						   wishes[i].property,
						   wishes[i].value);
	return status;
}

/* Where a branch goes, or what is named relative to rip. */
static bool find_target(const ZydisDecodedInstruction *instruction,
			const ZydisDecodedOperand *operands, uint64_t rip,
			uint64_t *target)
{
	const ZydisDecodedOperand *op;
	ZyanU8 i;

	if (!(instruction->attributes & ZYDIS_ATTRIB_IS_RELATIVE))
		return false;
	for (i = 0; i < instruction->operand_count_visible; i++) {
		op = &operands[i];
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER ||
		    (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		     !op->imm.is_relative))
			continue;
		return ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, op,
							     rip, target));
	}
	return false;
}

bool disassemble_at(unsigned int mode, uint64_t rip, const uint8_t *code,
		    size_t size, bool is_intel, struct instruction *out)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction = { 0 };
	ZydisFormatter formatter;
	ZyanStatus status;
	ZyanU8 count;

	status = decode(mode, code, size, &instruction, operands);
	if (ZYAN_SUCCESS(status))
		status = init(&formatter, is_intel);
	count = instruction.operand_count_visible;
	if (ZYAN_SUCCESS(status))
		status = ZydisFormatterFormatInstruction(&formatter,
							 &instruction, operands,
							 count, out->text,
							 sizeof(out->text), rip,
							 NULL);
	if (!ZYAN_SUCCESS(status))
		return false;
	out->size = instruction.length;
	out->has_target = find_target(&instruction, operands, rip,
				      &out->target);
	return true;
}

void disassemble(const struct kvmi_vcpu_event *state, const uint8_t *code,
		 size_t size, bool is_intel, char *text, size_t room)
{
	struct instruction instruction;
	bool is_known;

	is_known = disassemble_at(state->arch.mode, state->arch.regs.rip, code,
				  size, is_intel, &instruction);
	snprintf(text, room, "%s", is_known ? instruction.text : "?");
}
