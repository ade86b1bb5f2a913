// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The few instructions whose whole effect is on registers that a tool can set,
 * in 64-bit code. Whatever is not sure to be one of them is none.
 */
#include "step.h"

/* NOP with an operand, which is not accessed: 0f 1f /0. */
static size_t long_nop_size(const uint8_t *code, size_t size)
{
	uint8_t modrm, mod, rm;
	size_t n = 3;

	if (size < 3 || code[0] != 0x0f || code[1] != 0x1f)
		return 0;
	modrm = code[2];
	mod = modrm >> 6;
	rm = modrm & 7;
	if (modrm & 0x38)
		return 0;
	if (mod != 3 && rm == 4) {
		if (size < 4 || (mod == 0 && (code[3] & 7) == 5))
			return 0;
		n++;
	}
	if (mod == 1)
		n += 1;
	else if (mod == 2 || (mod == 0 && rm == 5))
		n += 4;
	return n <= size ? n : 0;
}

size_t step_size(const uint8_t *code, size_t size)
{
	size_t prefixes = 0, n;

	/* endbr64, endbr32 */
	if (size >= 4 && code[0] == 0xf3 && code[1] == 0x0f &&
	    code[2] == 0x1e && (code[3] == 0xfa || code[3] == 0xfb))
		return 4;

	while (prefixes < size && prefixes < 4 &&
	       (code[prefixes] == 0x66 || code[prefixes] == 0x2e))
		prefixes++;
	if (prefixes == size)
		return 0;
	if (code[prefixes] == 0x90)
		return prefixes + 1;
	n = long_nop_size(code + prefixes, size - prefixes);
	return n ? prefixes + n : 0;
}
