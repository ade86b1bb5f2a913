// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory by virtual addresses, and what a person calls them. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "kvmi.h"
#include "linux.h"
#include "view.h"

#define PAGE_SIZE 4096ul

int pid_option(const struct verb *verb, const char *text)
{
	uint64_t number;

	if (parse_number(text, &number) || number > INT_MAX)
		usage(verb, "'%s' is no number of a process", text);
	return (int)number;
}

static int find_process(struct view *view, int pid)
{
	struct linux_task *list;
	size_t i, count;
	int err;

	err = linux_get_tasks(view->guest, true, &list, &count);
	if (err) {
		complain(err, "cannot list the guest's processes");
		return err;
	}
	for (i = 0; i < count && list[i].pid != pid; i++)
		;
	if (i == count)
		complain(0, "the guest has no process %d", pid);
	else if (!list[i].root)
		complain(0, "process %d of the guest has no memory of its own: it belongs to the kernel, or has ended",
			 pid);
	view->has_root = i < count && list[i].root;
	view->root = view->has_root ? list[i].root : 0;
	free(list);
	return view->has_root ? 0 : -ESRCH;
}

int view_open(struct view *view, struct kvmi_vm *vm, int pid)
{
	int err;

	*view = (struct view){ .vm = vm };
	err = guest_find_linux(&view->guest, vm);
	if (err) {
		view->guest = NULL;
		complain(err, "cannot find a Linux kernel in the guest, whose symbols and tables this takes");
		return err;
	}
	err = pid < 0 ? 0 : find_process(view, pid);
	if (err)
		view_close(view);
	return err;
}

int view_open_any(struct view *view, struct kvmi_vm *vm, unsigned int vcpu)
{
	int err;

	*view = (struct view){ .vm = vm, .vcpu = vcpu };
	err = guest_find_linux(&view->guest, vm);
	if (!err)
		return 0;
	view->guest = NULL;
	if (err == -ECONNRESET || err == -ENOMEM) {
		complain(err, "cannot look for the guest's kernel");
		return err;
	}
	return 0;
}

void view_close(struct view *view)
{
	linux_close(view->guest);
	view->guest = NULL;
}

int view_parse(struct view *view, const char *text, uint64_t *gva)
{
	int err;

	err = view->guest ? linux_parse_address(view->guest, text, gva) :
			    parse_number(text, gva);
	if (!err)
		return 0;
	if (!view->guest)
		complain(0, "'%s' is no number, and no Linux with symbols is found in the guest",
			 text);
	else if (err == -ENOENT)
		complain(0, "the guest's kernel has no symbol '%s'", text);
	else
		complain(err, "'%s' is no address as 0xffffffff81000000, schedule or schedule+0x10",
			 text);
	return err;
}

int view_translate(struct view *view, uint64_t gva, uint64_t *gpa)
{
	int err;

	if (view->guest && view->has_root)
		return linux_translate_in(view->guest, view->root, gva, gpa);
	if (view->guest)
		return linux_translate(view->guest, gva, gpa);
	err = kvmi_vcpu_translate_gva(view->vm, view->vcpu, gva, gpa);
	return !err && *gpa == UINT64_MAX ? -EFAULT : err;
}

static size_t in_page(uint64_t gva, size_t size)
{
	size_t room = PAGE_SIZE - gva % PAGE_SIZE;

	return size < room ? size : room;
}

static int check(struct view *view, uint64_t gva, size_t size)
{
	uint64_t gpa;
	size_t n;
	int err = 0;

	for (; size && !err; size -= n) {
		n = in_page(gva, size);
		err = view_translate(view, gva, &gpa);
		gva += n;
	}
	return err;
}

static int read_by_vcpu(struct view *view, uint64_t gva, void *data,
			size_t size)
{
	uint8_t *to = data;
	uint64_t gpa;
	int err = 0;
	size_t n;

	for (; size && !err; size -= n) {
		n = in_page(gva, size);
		err = view_translate(view, gva, &gpa);
		if (!err)
			err = kvmi_vm_read_physical(view->vm, gpa, to, n);
		gva += n;
		to += n;
	}
	return err == -ENOENT ? -EFAULT : err;
}

int view_read(struct view *view, uint64_t gva, void *data, size_t size)
{
	if (!view->guest)
		return read_by_vcpu(view, gva, data, size);
	if (!view->has_root)
		return linux_read(view->guest, gva, data, size);
	return linux_read_in(view->guest, view->root, gva, data, size);
}

int view_write(struct view *view, uint64_t gva, const void *data, size_t size)
{
	int err = check(view, gva, size);
	const uint8_t *from = data;
	uint64_t gpa;
	size_t n;

	for (; size && !err; size -= n) {
		n = in_page(gva, size);
		err = view_translate(view, gva, &gpa);
		if (!err)
			err = kvmi_vm_write_physical(view->vm, gpa, from, n);
		gva += n;
		from += n;
	}
	return err == -ENOENT ? -EFAULT : err;
}

const char *view_format(struct view *view, uint64_t gva, char *text,
			size_t room)
{
	if (view->guest)
		return linux_format_address(view->guest, gva, text, room);
	snprintf(text, room, "0x%" PRIx64, gva);
	return text;
}
