// SPDX-License-Identifier: LGPL-2.1-or-later
/* A pipeline: commands that are sent together, and then get their answers. */
#include <errno.h>
#include <stdlib.h>

#include "pipeline.h"

int pipeline_add(struct pipeline *p, unsigned int id, struct iovec head,
		 struct iovec tail)
{
	size_t size = head.iov_len + tail.iov_len;
	struct call *calls;
	uint8_t *body;

	body = malloc(size);
	if (!body)
		return -ENOMEM;
	calls = realloc(p->calls, (p->count + 1) * sizeof(*calls));
	if (!calls) {
		free(body);
		return -ENOMEM;
	}
	memcpy(body, head.iov_base, head.iov_len);
	if (tail.iov_len)
		memcpy(body + head.iov_len, tail.iov_base, tail.iov_len);

	p->calls = calls;
	p->calls[p->count++] = (struct call){
		.hdr.id = (uint16_t)id,
		.hdr.size = (uint16_t)size,
		.body[0] = { body, size },
	};
	return 0;
}

/* What the kernel takes in one message, as it told. */
static size_t access_max(const struct domain *dom)
{
	size_t room = dom->version.max_msg_size;

	if (room > KVMI_MAX_MSG_SIZE ||
	    room < sizeof(struct kvmi_vm_set_page_access) +
		   sizeof(struct kvmi_page_access_entry))
		room = KVMI_MAX_MSG_SIZE;
	return (room - sizeof(struct kvmi_vm_set_page_access)) /
	       sizeof(struct kvmi_page_access_entry);
}

static int add_entries(struct pipeline *p, const unsigned long long *gpa,
		       const unsigned char *access, size_t count)
{
	struct kvmi_page_access_entry entries[KVMI_PAGES_MAX] = { 0 };
	struct kvmi_vm_set_page_access head = { .count = (uint16_t)count };
	size_t i;

	for (i = 0; i < count; i++) {
		entries[i].gpa = gpa[i];
		entries[i].access = access[i];
	}
	return pipeline_add(p, KVMI_VM_SET_PAGE_ACCESS,
			    (struct iovec){ &head, sizeof(head) },
			    (struct iovec){ entries, count * sizeof(*entries) });
}

int pipeline_add_access(struct pipeline *p, const struct domain *dom,
			const unsigned long long *gpa,
			const unsigned char *access, size_t count,
			unsigned int view)
{
	size_t max = access_max(dom), some;
	int err = 0;

	if (view)
		return -EINVAL;
	while (count && !err) {
		some = count < max ? count : max;
		err = add_entries(p, gpa, access, some);
		gpa += some;
		access += some;
		count -= some;
	}
	return err;
}

int pipeline_add_pause(struct pipeline *p, unsigned int vcpu)
{
	struct kvmi_vm_pause_vcpu req = {
		.vcpu = (uint16_t)vcpu,
		.wait = 1,
	};

	return pipeline_add(p, KVMI_VM_PAUSE_VCPU,
			    (struct iovec){ &req, sizeof(req) },
			    (struct iovec){ NULL, 0 });
}

int pipeline_start(struct pipeline *p, struct kvmi_vm *vm, size_t until)
{
	size_t some;
	int err = 0;

	while (p->started < until && !err) {
		some = until - p->started;
		if (some > CHANNEL_BATCH)
			some = CHANNEL_BATCH;
		err = channel_start(&vm->channel, p->calls + p->started, some,
				    vm_deadline(vm));
		if (!err)
			p->started += some;
	}
	return err;
}

/* What is not allowed yet is so for all of them: one at a time will do. */
static int insist(struct kvmi_vm *vm, struct call *call)
{
	int64_t deadline;
	int err;

	while (vm_should_retry(vm, call->err)) {
		deadline = vm_deadline(vm);
		err = channel_start(&vm->channel, call, 1, deadline);
		if (!err)
			err = channel_finish(&vm->channel, call, 1, deadline);
		if (err)
			return err;
	}
	return call->err;
}

int pipeline_finish(struct pipeline *p, struct kvmi_vm *vm)
{
	int err, first;
	size_t i;

	first = channel_finish(&vm->channel, p->calls, p->started,
			       vm_deadline(vm));
	for (i = 0; i < p->started; i++) {
		err = p->calls[i].done ? insist(vm, &p->calls[i]) : first;
		if (err && !first)
			first = err;
	}
	return first;
}

int pipeline_run(struct pipeline *p, struct kvmi_vm *vm)
{
	int err, late;

	err = pipeline_start(p, vm, p->count);
	late = pipeline_finish(p, vm);
	return err ? err : late;
}

void pipeline_empty(struct pipeline *p)
{
	size_t i;

	for (i = 0; i < p->count; i++)
		free(p->calls[i].body[0].iov_base);
	free(p->calls);
	*p = (struct pipeline){ 0 };
}
