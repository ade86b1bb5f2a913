// SPDX-License-Identifier: GPL-2.0-or-later
/* What the verbs that know Linux say in the same words. */
#include <errno.h>
#include <stdlib.h>

#include "kvmi.h"
#include "linux.h"

int guest_find_linux(struct linux_guest **guest, struct kvmi_vm *vm)
{
	int err;

	profile_stop_by(&is_stopped);
	err = linux_open(guest, vm);
	profile_stop_by(NULL);
	return err;
}

int guest_open(struct linux_guest **guest, struct kvmi_vm *vm)
{
	int err = guest_find_linux(guest, vm);

	if (err == -ENOENT)
		complain(0, "no vCPU has a Linux kernel with symbols mapped: wait until it has booted");
	else if (err)
		complain(err, "the guest's kernel cannot be read");
	return err;
}

void guest_complain(int err, const char *what)
{
	if (err == -ENODATA)
		complain(0, "the guest's kernel has no types (BTF), which tell where %s are",
			 what);
	else if (err == -ENOENT)
		complain(0, "the guest's kernel is not like those that this program knows: no %s found",
			 what);
	else if (err == -EBADMSG)
		complain(0, "the guest's lists of %s make no sense", what);
	else
		complain(err, "cannot read the guest's %s", what);
}

char *hidden_words(unsigned int hidden, const struct list_name *names,
		   size_t count)
{
	const char *before = "hidden: not ";
	size_t i, size = 0;
	char *text = NULL;
	FILE *to;

	if (!hidden)
		return NULL;
	to = open_memstream(&text, &size);
	if (!to)
		return NULL;
	for (i = 0; i < count; i++) {
		if (!(hidden & names[i].seen))
			continue;
		fprintf(to, "%s%s", before, names[i].words);
		before = ", not ";
	}
	fclose(to);
	return text;
}

struct json_object *hidden_json(unsigned int hidden,
				const struct list_name *names, size_t count)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < count; i++)
		if (hidden & names[i].seen)
			json_object_array_add(array,
					      json_object_new_string(names[i].name));
	return array;
}
