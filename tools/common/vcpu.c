// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPUs: which of them. */
#include <limits.h>
#include <stdlib.h>

#include "kvmi.h"

int vcpu_option(const struct verb *verb, const char *text)
{
	uint64_t number;

	if (parse_number(text, &number) || number > UINT16_MAX)
		usage(verb, "'%s' is no number of a vCPU", text);
	return (int)number;
}

int vcpu_range(struct kvmi_vm *vm, int wanted, unsigned int *first,
	       unsigned int *end)
{
	struct kvmi_vm_get_info_reply info;
	int err;

	err = kvmi_vm_get_info(vm, &info);
	if (err) {
		complain(err, "cannot ask for the number of vCPUs");
		return err;
	}
	*first = wanted < 0 ? 0 : (unsigned int)wanted;
	*end = wanted < 0 ? info.vcpu_count : *first + 1;
	return 0;
}
