// SPDX-License-Identifier: GPL-2.0-or-later
/* What Linux stores into a GDT of its own while it runs. */
#include "descriptor.h"

/* Of a 64-bit kernel. The first two take two entries each. */
#define TASK		8
#define LDT		10
#define TLS		12
#define TLS_END		15

/* The byte of type and rights. */
#define RIGHTS(value)	((uint8_t)((value) >> 40))
#define CODE		0x08
#define SEGMENT		0x10
#define PRESENT		0x80
#define USER_SEGMENT	0x70	/* no system descriptor; for privilege level 3 */
#define LDT_PRESENT	0x82
#define BUSY		(2ull << 40)

const char *const descriptor_names[DESCRIPTOR_KINDS] = {
	"tls entry", "ldt entry", "tss entry", "same descriptor",
};

/* As set_thread_area() takes them: data, for whoever is not the kernel. */
static bool is_tls(uint64_t value)
{
	return !value || ((RIGHTS(value) & USER_SEGMENT) == USER_SEGMENT &&
			  !(RIGHTS(value) & CODE));
}

bool descriptor_judge_new(unsigned int index, uint64_t value,
			  enum descriptor_kind *kind)
{
	if (index >= TLS && index < TLS_END) {
		*kind = DESCRIPTOR_TLS;
		return is_tls(value);
	}
	*kind = DESCRIPTOR_LDT;
	if (index == LDT)
		return RIGHTS(value) == LDT_PRESENT;
	/* The upper half of the address, and nothing behind it. */
	return index == LDT + 1 && !(value >> 32);
}

bool descriptor_judge_change(unsigned int index, uint64_t old, uint64_t value,
			     enum descriptor_kind *kind)
{
	*kind = old == value ? DESCRIPTOR_SAME : DESCRIPTOR_TASK;
	return old == value || (index == TASK && (old ^ value) == BUSY);
}

bool descriptor_is_odd(unsigned int index, uint64_t value)
{
	bool is_system = (RIGHTS(value) & PRESENT) &&
			 !(RIGHTS(value) & SEGMENT);

	return is_system && (index < TASK || index > LDT + 1);
}

bool descriptor_is_ltr(const uint8_t *code, size_t size)
{
	size_t i = 0;

	/* A size or REX prefix changes nothing. */
	if (size > 1 && (code[0] == 0x66 || (code[0] & 0xf0) == 0x40))
		i++;
	return size >= i + 3 && code[i] == 0x0f && !code[i + 1] &&
	       (code[i + 2] >> 3 & 7) == 3;
}
