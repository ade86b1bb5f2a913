// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Guest memory: cuts a range at page ends and keeps two batches of commands
 * under way, so that the kernel always has work while answers are taken in.
 */
#include <errno.h>

#include "failure.h"
#include "vm.h"

#define PAGE_SIZE 4096

struct transfer {
	struct kvmi_vm *vm;
	bool is_write;
	uint64_t gpa;		/* of the next piece */
	uint8_t *data;
	size_t left;
	int *status;		/* of the next page, or of the range; or NULL */
	bool is_by_page;	/* whose status it is */
	struct kvmi_range *next, *end;	/* what comes after it */
	bool has_failed;
};

/* Read and write requests have the same head. */
struct batch {
	size_t count;
	int64_t deadline;
	int *status[CHANNEL_BATCH];
	struct kvmi_vm_read_physical heads[CHANNEL_BATCH];
	struct call calls[CHANNEL_BATCH];
};

static size_t piece_size(const struct transfer *t)
{
	size_t to_end = PAGE_SIZE - t->gpa % PAGE_SIZE;

	return t->left < to_end ? t->left : to_end;
}

static void add_piece(struct transfer *t, struct batch *batch)
{
	struct kvmi_vm_read_physical *head = &batch->heads[batch->count];
	struct call *call = &batch->calls[batch->count];
	size_t size = piece_size(t);

	*head = (struct kvmi_vm_read_physical){
		.gpa = t->gpa,
		.size = (uint16_t)size,
	};
	*call = (struct call){
		.hdr.id = KVMI_VM_READ_PHYSICAL,
		.hdr.size = sizeof(*head),
		.body[0] = { head, sizeof(*head) },
		.reply = t->data,
		.reply_room = size,
	};
	if (t->is_write) {
		call->hdr.id = KVMI_VM_WRITE_PHYSICAL;
		call->hdr.size = (uint16_t)(sizeof(*head) + size);
		call->body[1] = (struct iovec){ t->data, size };
		call->reply_room = 0;
	}

	batch->status[batch->count++] = t->status;
	if (t->is_by_page)
		*t->status++ = 0;
	t->gpa += size;
	t->data += size;
	t->left -= size;
}

static bool wraps(uint64_t gpa, size_t size)
{
	return size && gpa + (size - 1) < gpa;
}

/*
 * What is not shared as a whole is KVM's to read, and nothing is sure about what
 * is when the session has ended.
 */
static bool read_shared(const struct transfer *t)
{
	const size_t pages = t->is_by_page ? t->left / PAGE_SIZE : 0;

	if (!t->vm->shared.file_count || channel_has_ended(&t->vm->channel))
		return false;
	if (!shared_read(&t->vm->shared, t->gpa, t->data, t->left))
		return false;
	if (pages)
		memset(t->status, 0, pages * sizeof(*t->status));
	return true;
}

/* Moves on to the range that has something to ask KVM for. */
static bool find_piece(struct transfer *t)
{
	struct kvmi_range *range;

	while (!t->left && t->next < t->end) {
		range = t->next++;
		range->err = 0;
		if (wraps(range->gpa, range->size)) {
			range->err = -EINVAL;
			continue;
		}
		t->gpa = range->gpa;
		t->data = range->data;
		t->left = range->size;
		t->status = &range->err;
		if (t->left && !t->is_write && read_shared(t))
			t->left = 0;
	}
	return t->left;
}

/* Of several failures the first one is told. */
static int fail(struct transfer *t, int err, uint64_t gpa)
{
	struct failure what = failure_of(t->is_write ? KVMI_VM_WRITE_PHYSICAL :
						       KVMI_VM_READ_PHYSICAL,
					 NULL, 0);

	what.gpa = gpa;
	if (!t->has_failed)
		vm_fail(t->vm, err, what);
	t->has_failed = true;
	return err;
}

static int start(struct transfer *t, struct batch *batch)
{
	int err;

	batch->count = 0;
	while (batch->count < CHANNEL_BATCH && find_piece(t))
		add_piece(t, batch);
	if (!batch->count)
		return 0;

	batch->deadline = vm_deadline(t->vm);
	err = channel_start(&t->vm->channel, batch->calls, batch->count,
			    batch->deadline);
	if (err) {
		fail(t, err, batch->heads[0].gpa);
		batch->count = 0;
	}
	return err;
}

static int check_answer(struct transfer *t, struct call *call)
{
	if (call->err)
		return call->err;
	if (t->is_write || call->reply_size == call->reply_room)
		return 0;

	log_say(&t->vm->opts.log, KVMI_LOG_ERROR,
		"read of %zu bytes answered with %zu", call->reply_room,
		call->reply_size);
	channel_breach(&t->vm->channel);
	return -EPROTO;
}

static int finish(struct transfer *t, struct batch *batch)
{
	int late, err = 0;
	size_t i;

	if (!batch->count)
		return 0;
	late = channel_finish(&t->vm->channel, batch->calls, batch->count,
			      batch->deadline);
	for (i = 0; i < batch->count && !err; i++) {
		err = batch->calls[i].done ?
			check_answer(t, &batch->calls[i]) : late;
		if (err == -ENOENT && batch->status[i]) {
			*batch->status[i] = err;
			if (!t->is_write)
				memset(batch->calls[i].reply, 0,
				       batch->calls[i].reply_room);
			err = 0;
		}
		if (err)
			fail(t, err, batch->heads[i].gpa);
	}
	batch->count = 0;
	return err;
}

static int run(struct transfer t)
{
	struct batch batches[2];
	unsigned int turn = 0;
	int err, late;

	err = start(&t, &batches[0]);
	while (!err && batches[turn].count) {
		err = start(&t, &batches[!turn]);
		late = finish(&t, &batches[turn]);
		if (late)
			err = late;
		turn = !turn;
	}

	/* After an error one batch can still be under way. */
	finish(&t, &batches[turn]);
	return err;
}

static int transfer(const struct transfer *t)
{
	int err;

	struct transfer own = *t;

	if (wraps(t->gpa, t->left))
		return fail(&own, -EINVAL, t->gpa);
	if (!t->left && t->next == t->end)
		return 0;
	if (t->left && !t->is_write && read_shared(t))
		return 0;
	do {
		err = run(*t);
	} while (vm_should_retry(t->vm, err));
	return err;
}

int kvmi_vm_map_physical(struct kvmi_vm *vm, uint64_t gpa, size_t size,
			 const void **data)
{
	const struct shared_file *file;

	if (!size)
		return -EINVAL;
	if (!vm->shared.file_count)
		return -EOPNOTSUPP;
	*data = shared_find(&vm->shared, gpa, size, &file);
	return *data ? 0 : -ENOENT;
}

int kvmi_vm_read_physical(struct kvmi_vm *vm, uint64_t gpa, void *data,
			  size_t size)
{
	const struct transfer t = {
		.vm = vm,
		.gpa = gpa,
		.data = data,
		.left = size,
	};

	return transfer(&t);
}

int kvmi_vm_read_pages(struct kvmi_vm *vm, uint64_t gpa, void *data,
		       size_t count, int *status)
{
	const struct transfer t = {
		.vm = vm,
		.gpa = gpa,
		.data = data,
		.left = count * PAGE_SIZE,
		.status = status,
		.is_by_page = true,
	};

	if (gpa % PAGE_SIZE || count > SIZE_MAX / PAGE_SIZE)
		return -EINVAL;
	return transfer(&t);
}

int kvmi_vm_readv_physical(struct kvmi_vm *vm, struct kvmi_range *ranges,
			   size_t count)
{
	const struct transfer t = {
		.vm = vm,
		.next = ranges,
		.end = ranges + count,
	};

	return transfer(&t);
}

int kvmi_vm_write_physical(struct kvmi_vm *vm, uint64_t gpa, const void *data,
			   size_t size)
{
	const struct transfer t = {
		.vm = vm,
		.is_write = true,
		.gpa = gpa,
		.data = (uint8_t *)data,
		.left = size,
	};

	return transfer(&t);
}

int kvmi_vm_writev_physical(struct kvmi_vm *vm, struct kvmi_range *ranges,
			    size_t count)
{
	const struct transfer t = {
		.vm = vm,
		.is_write = true,
		.next = ranges,
		.end = ranges + count,
	};

	return transfer(&t);
}
