// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the kernel keeps of a module: its memory in one piece or by kinds. */
#include <errno.h>

#include "module.h"

/* Kinds of memory since Linux 6.4; the first one is text. */
#define KINDS 7
#define INIT_TEXT 4

static bool is_kernel(uint64_t gva)
{
	return gva >> 63 && gva % 8 == 0;
}

static int read_part(struct linux_guest *guest, uint64_t at,
		     const char *structure, uint64_t *base, uint32_t *size)
{
	int err = field_read(guest, at, structure, "base", base, sizeof(*base));

	return err ? err : field_read(guest, at, structure, "size", size,
				      sizeof(*size));
}

static int read_kinds(struct linux_guest *guest, uint64_t at,
		      struct linux_module *module)
{
	uint64_t base, step;
	uint32_t size;
	int i, err;

	err = profile_size(guest->profile, "module_memory", &step);
	for (i = 0; i < KINDS && !err; i++) {
		err = read_part(guest, at + (uint64_t)i * step, "module_memory",
				&base, &size);
		if (err)
			break;
		module->size += size;
		if (i == 0) {
			module->base = base;
			module->text_size = size;
		} else if (i == INIT_TEXT) {
			module->init = base;
			module->init_size = size;
		}
	}
	return err;
}

static int read_layouts(struct linux_guest *guest, uint64_t gva,
			struct linux_module *module)
{
	uint64_t offset, base;
	uint32_t size;
	int err = linux_offset(guest, "module", "core_layout", &offset);

	if (!err)
		err = read_part(guest, gva + offset, "module_layout",
				&module->base, &size);
	if (err)
		return err;
	module->size = size;
	module->text_size = size;
	err = linux_offset(guest, "module", "init_layout", &offset);
	if (!err)
		err = read_part(guest, gva + offset, "module_layout", &base,
				&size);
	if (!err) {
		module->size += size;
		module->init = base;
		module->init_size = size;
	}
	return err;
}

static int read_all(struct linux_guest *guest, uint64_t gva,
		    struct linux_module *module)
{
	uint64_t offset;
	int32_t refs;
	int err = field_read(guest, gva, "module", "name", module->name,
			     sizeof(module->name));

	if (!err)
		err = field_read(guest, gva, "module", "state", &module->state,
				 sizeof(module->state));
	if (!err)
		err = field_read(guest, gva, "module", "refcnt", &refs,
				 sizeof(refs));
	if (err)
		return err;
	module->name[sizeof(module->name) - 1] = '\0';
	/* One reference is the module's own. */
	module->refs = refs - 1;
	err = linux_offset(guest, "module", "mem", &offset);
	return err ? read_layouts(guest, gva, module) :
		     read_kinds(guest, gva + offset, module);
}

int module_read(struct linux_guest *guest, uint64_t gva,
		struct linux_module *module)
{
	int err;

	*module = (struct linux_module){ .gva = gva };
	if (!is_kernel(gva))
		return -ENOENT;
	err = read_all(guest, gva, module);
	if (!err && (!module->name[0] || !is_kernel(module->base) ||
		     module->state > LINUX_MODULE_UNFORMED))
		err = -ENOENT;
	return err == -EFAULT ? -ENOENT : err;
}
