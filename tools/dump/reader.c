// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory in order. Commands for the pages that come next are under way
 * while the caller does something with those that are here; what the device
 * manager shares is not even copied.
 */
#include <errno.h>
#include <stdlib.h>

#include "dump.h"

#define WINDOW		768	/* pages */
#define PATIENCE	15000	/* ms */

static uint64_t clamp(uint64_t size)
{
	return size < DUMP_CHUNK ? size : DUMP_CHUNK;
}

/* Moves on to the next span if this one is done. Returns false at the end. */
static bool refill(const struct ram *ram, struct span *span, size_t *next)
{
	if (span->size)
		return true;
	if (*next == ram->count)
		return false;
	*span = ram->spans[(*next)++];
	return true;
}

static void advance(struct span *span, uint64_t size)
{
	span->gpa += size;
	span->size -= size;
}

int reader_begin(struct reader *r, struct kvmi_vm *vm, const struct ram *ram,
		 bool is_shared)
{
	*r = (struct reader){ .vm = vm, .ram = ram, .is_shared = is_shared };
	r->chunk = malloc(DUMP_CHUNK);
	return r->chunk ? 0 : -ENOMEM;
}

static int ask(struct reader *r)
{
	struct kvmi_vm_read_physical request = { .size = DUMP_PAGE };
	int err = 0;

	while (r->under_way < WINDOW && refill(r->ram, &r->ask, &r->ask_next)) {
		request.gpa = r->ask.gpa;
		err = kvmi_vm_submit(r->vm, KVMI_VM_READ_PHYSICAL, &request,
				     sizeof(request), NULL);
		if (err)
			break;
		r->under_way++;
		advance(&r->ask, DUMP_PAGE);
	}
	return err;
}

/* Commands about the VM are answered in order. */
static int take_page(struct reader *r, uint8_t *to)
{
	struct kvmi_reply *reply;
	const void *data;
	size_t size;
	int err;

	err = kvmi_vm_next_reply(r->vm, PATIENCE, &reply);
	if (err)
		return err;
	r->under_way--;
	err = kvmi_reply_get_error(reply, NULL);
	data = kvmi_reply_get_data(reply, &size);
	if (!err && size != DUMP_PAGE)
		err = -EPROTO;
	if (!err)
		memcpy(to, data, DUMP_PAGE);
	else if (err == -ENOENT)
		memset(to, 0, DUMP_PAGE);
	kvmi_reply_free(reply);
	return err == -ENOENT ? 0 : err;
}

static ssize_t read_shared(struct reader *r, const uint8_t **data)
{
	uint64_t size = clamp(r->take.size);
	const void *at;
	int err, status[DUMP_CHUNK / DUMP_PAGE];

	err = kvmi_vm_map_physical(r->vm, r->take.gpa, size, &at);
	*data = at;
	if (err) {
		err = kvmi_vm_read_pages(r->vm, r->take.gpa, r->chunk,
					 size / DUMP_PAGE, status);
		*data = r->chunk;
	}
	advance(&r->take, size);
	return err ? err : (ssize_t)size;
}

ssize_t reader_next(struct reader *r, const uint8_t **data)
{
	uint64_t size, done;
	int err = 0;

	if (!refill(r->ram, &r->take, &r->take_next))
		return 0;
	if (r->is_shared)
		return read_shared(r, data);

	size = clamp(r->take.size);
	for (done = 0; done < size && !err; done += DUMP_PAGE) {
		/* Not for each page: a command is a system call. */
		if (r->under_way < WINDOW / 2)
			err = ask(r);
		if (!err)
			err = take_page(r, r->chunk + done);
	}
	/* The kernel has something to do while the caller has. */
	if (!err)
		err = ask(r);
	advance(&r->take, size);
	*data = r->chunk;
	return err ? err : (ssize_t)size;
}

void reader_end(struct reader *r)
{
	struct kvmi_reply *reply;

	while (r->under_way && !kvmi_vm_next_reply(r->vm, PATIENCE,
						   &reply)) {
		r->under_way--;
		kvmi_reply_free(reply);
	}
	free(r->chunk);
}
