/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that know a Linux guest's own structures. */
#ifndef KVMI_TOOL_LINUX_H
#define KVMI_TOOL_LINUX_H

#include <json-c/json.h>
#include <linux-guest.h>

/* linux_open(), which a signal ends with -EINTR if the verb watches for them. */
int guest_find_linux(struct linux_guest **guest, struct kvmi_vm *vm);
/* The same, and complains. */
int guest_open(struct linux_guest **guest, struct kvmi_vm *vm);
/* Complains of what keeps the kernel's lists from being read. */
void guest_complain(int err, const char *what);

/* What one of the kernel's lists is called, by its bit. */
struct list_name {
	unsigned int seen;
	const char *name;	/* for programs */
	const char *words;	/* for people, behind "not" */
};

/* "hidden: not in the list of processes, not ..."; NULL where nothing is. */
char *hidden_words(unsigned int hidden, const struct list_name *names,
		   size_t count);
/* An array of names. */
struct json_object *hidden_json(unsigned int hidden,
				const struct list_name *names, size_t count);

#endif
