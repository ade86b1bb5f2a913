// SPDX-License-Identifier: LGPL-2.1-or-later
/* Symbols of the running kernel, and addresses as people write them. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "within.h"

#define NAME_ROOM 512

int kernel_symbol(struct linux_guest *guest, const char *name, uint64_t *gva)
{
	const struct field_value *known = fields_find(&guest->fields, name);
	uint64_t found = 0;
	int err;

	if (known) {
		*gva = known->offset;
		return known->err;
	}
	err = profile_symbol(guest->profile, name, &found);
	/* What does not move are offsets, of each processor's variables. */
	if (!err && found >= KERNEL_WINDOW)
		found += guest->kaslr;
	/* One with a dot could be taken for a field. */
	if (!strchr(name, '.'))
		fields_keep(&guest->fields, name, err, found);
	*gva = found;
	return err;
}

int linux_symbol(struct linux_guest *guest, const char *name, uint64_t *gva)
{
	int err = kernel_symbol(guest, name, gva);

	return err == -ENOENT ? module_symbol(guest, name, gva) : err;
}

static int parse_number(const char *text, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*number = strtoull(text, &end, 0);
	return errno || *end ? -EINVAL : 0;
}

/* Of "name+0x10" the name, and what is to be added. */
static int split(const char *text, char *name, uint64_t *add)
{
	const char *sign = text + strcspn(text, "+-");
	size_t length = (size_t)(sign - text);
	int err;

	*add = 0;
	if (!length || length >= NAME_ROOM)
		return -EINVAL;
	memcpy(name, text, length);
	name[length] = '\0';
	if (!*sign)
		return 0;
	err = parse_number(sign + 1, add);
	if (!err && *sign == '-')
		*add = -*add;
	return err;
}

int linux_parse_address(struct linux_guest *guest, const char *text,
			uint64_t *gva)
{
	char name[NAME_ROOM];
	uint64_t add, base;
	int err = split(text, name, &add);

	if (err)
		return err;
	if (parse_number(name, &base)) {
		/* No symbol begins so. */
		if (isdigit((unsigned char)*name))
			return -EINVAL;
		err = linux_symbol(guest, name, &base);
		if (err)
			return err;
	}
	*gva = base + add;
	return (int64_t)add < 0 ? (*gva > base ? -EINVAL : 0) :
				  (*gva < base ? -EINVAL : 0);
}

const char *linux_symbol_at(struct linux_guest *guest, uint64_t gva,
			    uint64_t *offset, uint64_t *next)
{
	const char *name;

	if (gva < guest->text || gva >= guest->text_end)
		return NULL;
	name = profile_symbol_at(guest->profile, gva - guest->kaslr, offset,
				 next);
	*next = *next < guest->text_end - guest->kaslr ?
		*next + guest->kaslr : guest->text_end;
	return name;
}

const char *linux_format_address(struct linux_guest *guest, uint64_t gva,
				 char *text, size_t room)
{
	uint64_t offset, next;
	const char *name = linux_symbol_at(guest, gva, &offset, &next);
	const struct linux_module *module = name ? NULL : module_at(guest, gva);

	if (name && offset)
		snprintf(text, room, "%s+0x%" PRIx64, name, offset);
	else if (name)
		snprintf(text, room, "%s", name);
	else if (module && gva - module->base < module->text_size)
		snprintf(text, room, "[%s]+0x%" PRIx64, module->name,
			 gva - module->base);
	else if (module)
		snprintf(text, room, "[%s init]+0x%" PRIx64, module->name,
			 gva - module->init);
	else
		snprintf(text, room, "0x%" PRIx64, gva);
	return text;
}
