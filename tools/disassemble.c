// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions as text. */
#include <Zydis/Zydis.h>

#include "kvmi.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static ZyanStatus decode(const struct kvmi_vcpu_event *state,
			 const uint8_t *code, size_t size,
			 ZydisDecodedInstruction *instruction,
			 ZydisDecodedOperand *operands)
{
	ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LEGACY_16;
	ZydisStackWidth width = ZYDIS_STACK_WIDTH_16;
	ZydisDecoder decoder;
	ZyanStatus status;

	if (state->arch.mode == 8) {
		mode = ZYDIS_MACHINE_MODE_LONG_64;
		width = ZYDIS_STACK_WIDTH_64;
	} else if (state->arch.mode == 4) {
		mode = ZYDIS_MACHINE_MODE_LEGACY_32;
		width = ZYDIS_STACK_WIDTH_32;
	}
	status = ZydisDecoderInit(&decoder, mode, width);
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

void disassemble(const struct kvmi_vcpu_event *state, const uint8_t *code,
		 size_t size, bool is_intel, char *text, size_t room)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction instruction = { 0 };
	ZyanU64 rip = state->arch.regs.rip;
	ZydisFormatter formatter;
	ZyanU8 count;
	ZyanStatus status;

	status = decode(state, code, size, &instruction, operands);
	if (ZYAN_SUCCESS(status))
		status = init(&formatter, is_intel);
	count = instruction.operand_count_visible;
	if (ZYAN_SUCCESS(status))
		status = ZydisFormatterFormatInstruction(&formatter,
							 &instruction, operands,
							 count, text, room, rip,
							 NULL);
	if (!ZYAN_SUCCESS(status))
		snprintf(text, room, "?");
}
