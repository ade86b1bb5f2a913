// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of bits of control registers. */
#include "trace.h"

struct bit {
	unsigned int number;
	const char *name;
};

static const struct bit cr0_bits[] = {
	{ 0, "PE" }, { 1, "MP" }, { 2, "EM" }, { 3, "TS" }, { 4, "ET" },
	{ 5, "NE" }, { 16, "WP" }, { 18, "AM" }, { 29, "NW" }, { 30, "CD" },
	{ 31, "PG" }, { 0, NULL },
};

static const struct bit cr4_bits[] = {
	{ 0, "VME" }, { 1, "PVI" }, { 2, "TSD" }, { 3, "DE" }, { 4, "PSE" },
	{ 5, "PAE" }, { 6, "MCE" }, { 7, "PGE" }, { 8, "PCE" },
	{ 9, "OSFXSR" }, { 10, "OSXMMEXCPT" }, { 11, "UMIP" }, { 12, "LA57" },
	{ 13, "VMXE" }, { 14, "SMXE" }, { 16, "FSGSBASE" }, { 17, "PCIDE" },
	{ 18, "OSXSAVE" }, { 19, "KL" }, { 20, "SMEP" }, { 21, "SMAP" },
	{ 22, "PKE" }, { 23, "CET" }, { 24, "PKS" }, { 25, "UINTR" },
	{ 0, NULL },
};

static const struct bit efer_bits[] = {
	{ 0, "SCE" }, { 8, "LME" }, { 10, "LMA" }, { 11, "NXE" },
	{ 12, "SVME" }, { 13, "LMSLE" }, { 14, "FFXSR" }, { 15, "TCE" },
	{ 0, NULL },
};

static const struct bit *bits_of(enum subject what)
{
	switch (what) {
	case CR0:
		return cr0_bits;
	case CR4:
		return cr4_bits;
	case MSR:
		return efer_bits;
	default:
		return NULL;
	}
}

const char *bits_changed(enum subject what, uint64_t before, uint64_t now,
			 char *text, size_t room)
{
	const struct bit *bit = bits_of(what);
	size_t used = 0;
	int size;

	*text = '\0';
	for (; bit && bit->name; bit++) {
		if (!((before ^ now) >> bit->number & 1))
			continue;
		size = snprintf(text + used, room - used, "%s%c%s",
				used ? " " : "",
				now >> bit->number & 1 ? '+' : '-', bit->name);
		used += (size_t)size;
		if (used >= room)
			break;
	}
	return text;
}
