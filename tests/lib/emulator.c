// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which emulator this host runs under, as it says itself.
 */
#include <cpuid.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "emulator.h"

bool emulator_is_tcg(void)
{
	unsigned int a, id[3];

	__cpuid(0x40000000, a, id[0], id[1], id[2]);
	return !memcmp(id, "TCGTCGTCGTCG", sizeof(id));
}

bool emulator_is_bochs_svm(void)
{
	char version[16] = "";
	FILE *f;

	if (access("/sys/module/kvm_amd", F_OK))
		return false;
	f = fopen("/sys/class/dmi/id/bios_version", "r");
	if (!f)
		return false;
	if (!fgets(version, sizeof(version), f))
		version[0] = '\0';
	fclose(f);
	return !strncmp(version, "Bochs", 5);
}
