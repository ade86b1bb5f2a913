// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Memory by virtual addresses. Each page takes a way down four or five tables,
 * and each table a question to KVM, so tables are kept for a while: those that
 * map all memory and the kernel's image hardly change, and even then to what
 * means the same. All others count for the one question in whose course they
 * were read.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "within.h"

#define STABLE_NS	1000000000
/* Pages that one call to the library reads. */
#define PAGES_AT_ONCE	32

struct source {
	struct linux_guest *guest;
	int64_t since;		/* what was read before does not count */
};

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

void memory_ask(struct linux_guest *guest)
{
	guest->asked = now_ns();
}

static int read_table(void *data, uint64_t gpa, uint64_t *entries)
{
	struct source *source = data;
	struct linux_guest *guest = source->guest;
	struct table *table = &guest->tables[gpa / IMAGE_PAGE % TABLES];
	int err;

	if (table->gpa != gpa || !table->read_at ||
	    table->read_at < source->since) {
		table->gpa = gpa;
		table->read_at = now_ns();
		err = profile_is_stopped() ? -EINTR :
		      kvmi_vm_read_physical(guest->vm, gpa, table->entries,
					    IMAGE_PAGE);
		if (err) {
			table->read_at = 0;
			return err;
		}
	}
	memcpy(entries, table->entries, IMAGE_PAGE);
	return 0;
}

static bool is_stable(const struct linux_guest *guest, uint64_t gva)
{
	return (gva >= guest->direct && gva < guest->direct_end) ||
	       (gva >= guest->text && gva < guest->text_end);
}

int memory_translate(struct linux_guest *guest, uint64_t root, uint64_t gva,
		     uint64_t *gpa)
{
	struct source source = { .guest = guest, .since = guest->asked };
	struct paging paging = {
		.read = read_table, .source = &source,
		.levels = guest->levels, .root = root & MAPPED_TO,
	};
	int err;

	if (root == guest->root && is_stable(guest, gva)) {
		source.since = now_ns() - STABLE_NS;
		err = paging_translate(&paging, gva, gpa);
		if (err != -EFAULT)
			return err;
		source.since = guest->asked;
	}
	return paging_translate(&paging, gva, gpa);
}

static size_t in_page(uint64_t gva, size_t size)
{
	size_t room = IMAGE_PAGE - gva % IMAGE_PAGE;

	return size < room ? size : room;
}

int memory_read_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		   void *to, size_t size)
{
	struct kvmi_range ranges[PAGES_AT_ONCE];
	uint8_t *at = to;
	size_t i, count;
	int err;

	while (size) {
		for (count = 0; size && count < PAGES_AT_ONCE; count++) {
			ranges[count].data = at;
			ranges[count].size = in_page(gva, size);
			err = memory_translate(guest, root, gva,
					       &ranges[count].gpa);
			if (err)
				return err;
			gva += ranges[count].size;
			at += ranges[count].size;
			size -= ranges[count].size;
		}
		err = profile_is_stopped() ? -EINTR :
		      kvmi_vm_readv_physical(guest->vm, ranges, count);
		for (i = 0; i < count && !err; i++)
			err = ranges[i].err ? -EFAULT : 0;
		if (err)
			return err;
	}
	return 0;
}

int memory_read(struct linux_guest *guest, uint64_t gva, void *to, size_t size)
{
	return memory_read_in(guest, guest->root, gva, to, size);
}

int linux_translate(struct linux_guest *guest, uint64_t gva, uint64_t *gpa)
{
	return linux_translate_in(guest, guest->root, gva, gpa);
}

int linux_translate_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		       uint64_t *gpa)
{
	memory_ask(guest);
	return memory_translate(guest, root, gva, gpa);
}

int linux_read(struct linux_guest *guest, uint64_t gva, void *to, size_t size)
{
	return linux_read_in(guest, guest->root, gva, to, size);
}

int linux_read_in(struct linux_guest *guest, uint64_t root, uint64_t gva,
		  void *to, size_t size)
{
	memory_ask(guest);
	return memory_read_in(guest, root, gva, to, size);
}

int linux_write(struct linux_guest *guest, uint64_t gva, const void *from,
		size_t size)
{
	const uint8_t *at = from;
	uint64_t gpa;
	size_t part;
	int err = 0;

	memory_ask(guest);
	for (; size && !err; size -= part) {
		part = in_page(gva, size);
		err = memory_translate(guest, guest->root, gva, &gpa);
		if (!err)
			err = kvmi_vm_write_physical(guest->vm, gpa, at, part);
		gva += part;
		at += part;
	}
	return err == -ENOENT ? -EFAULT : err;
}
