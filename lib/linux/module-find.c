// SPDX-License-Identifier: LGPL-2.1-or-later
/* Find the module of an address. */
#include <errno.h>
#include <stdlib.h>

#include "module.h"

/* How long the modules are as they were. */
#define FRESH_NS 1000000000

void modules_forget(struct linux_guest *guest)
{
	free(guest->modules);
	guest->modules = NULL;
	guest->module_count = 0;
	guest->modules_at = 0;
}

void modules_refresh(struct linux_guest *guest)
{
	if (guest->modules_at && now_ns() - guest->modules_at < FRESH_NS)
		return;
	modules_forget(guest);
	if (linux_get_modules(guest, &guest->modules, &guest->module_count)) {
		guest->modules = NULL;
		guest->module_count = 0;
	}
	guest->modules_at = now_ns();
}

const struct linux_module *module_at(struct linux_guest *guest, uint64_t gva)
{
	const struct linux_module *m;
	size_t i;

	/* All of them are near enough to call the kernel's functions. */
	if (gva < KERNEL_WINDOW)
		return NULL;
	modules_refresh(guest);
	for (i = 0; i < guest->module_count; i++) {
		m = &guest->modules[i];
		if (gva >= m->base && gva - m->base < m->text_size)
			return m;
	}
	return NULL;
}
