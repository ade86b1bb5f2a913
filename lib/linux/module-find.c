// SPDX-License-Identifier: LGPL-2.1-or-later
/* Find the module of an address. */
#include <errno.h>
#include <stdlib.h>

#include "module.h"

/* How long the modules are as they were; less for what none of them has. */
#define FRESH_NS 1000000000
#define NEW_NS 20000000

void modules_forget(struct linux_guest *guest)
{
	free(guest->modules);
	guest->modules = NULL;
	guest->module_count = 0;
	guest->modules_at = 0;
}

static void refresh(struct linux_guest *guest, int64_t age)
{
	if (guest->modules_at && now_ns() - guest->modules_at < age)
		return;
	modules_forget(guest);
	if (linux_get_modules(guest, &guest->modules, &guest->module_count)) {
		guest->modules = NULL;
		guest->module_count = 0;
	}
	guest->modules_at = now_ns();
}

void modules_refresh(struct linux_guest *guest)
{
	refresh(guest, FRESH_NS);
}

static const struct linux_module *find(const struct linux_guest *guest,
				       uint64_t gva)
{
	const struct linux_module *m;
	size_t i;

	for (i = 0; i < guest->module_count; i++) {
		m = &guest->modules[i];
		if ((gva >= m->base && gva - m->base < m->text_size) ||
		    (gva >= m->init && gva - m->init < m->init_size))
			return m;
	}
	return NULL;
}

const struct linux_module *module_at(struct linux_guest *guest, uint64_t gva)
{
	const struct linux_module *m;

	/* All of them are near enough to call the kernel's functions. */
	if (gva < KERNEL_WINDOW)
		return NULL;
	modules_refresh(guest);
	m = find(guest, gva);
	if (m)
		return m;
	/* One that is just being loaded. */
	refresh(guest, NEW_NS);
	return find(guest, gva);
}
