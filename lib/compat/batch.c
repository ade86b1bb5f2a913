// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Batches. The old protocol switched answers off for them; here all commands
 * are sent before the first answer is waited for, which is as quick, and each
 * failure is seen.
 */
#include <errno.h>
#include <stdlib.h>

#include "pipeline.h"

/* The reply to an event, in its place among the commands. */
struct late_reply {
	struct late_reply *next;
	size_t place;		/* commands before it */
	uint32_t seq;
	size_t size;
	uint8_t data[];
};

struct batch {
	struct domain *dom;
	struct pipeline pipeline;
	struct late_reply *replies;	/* oldest first */
};

void *kvmi_batch_alloc(void *dom)
{
	struct batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		batch->dom = dom;
	else
		result(__func__, NO_VCPU, -ENOMEM);
	return batch;
}

static void empty(struct batch *batch)
{
	struct late_reply *reply;

	while ((reply = batch->replies)) {
		batch->replies = reply->next;
		free(reply);
	}
	pipeline_empty(&batch->pipeline);
}

static int commit(struct batch *batch)
{
	struct pipeline *p = &batch->pipeline;
	struct domain *dom = batch->dom;
	struct late_reply *reply;
	int err, first = 0;

	for (reply = batch->replies; reply; reply = reply->next) {
		err = pipeline_start(p, dom->vm, reply->place);
		if (!err)
			err = domain_reply(dom, reply->seq, reply->data,
					   reply->size);
		first = first ? first : err;
	}
	err = pipeline_run(p, dom->vm);
	return first ? first : err;
}

int kvmi_batch_commit(void *b)
{
	struct batch *batch = b;
	int err;

	err = domain_watch(batch->dom);
	if (!err)
		err = commit(batch);
	empty(batch);
	return result(__func__, NO_VCPU, err);
}

void kvmi_batch_free(void *batch)
{
	if (!batch)
		return;
	empty(batch);
	free(batch);
}

int kvmi_queue_registers(void *b, unsigned short vcpu,
			 const struct kvm_regs *regs)
{
	struct kvmi_v1_vcpu_hdr head = { .vcpu = vcpu };
	struct batch *batch = b;
	int err;

	err = pipeline_add(&batch->pipeline, KVMI_VCPU_SET_REGISTERS,
			   (struct iovec){ &head, sizeof(head) },
			   (struct iovec){ (void *)regs, sizeof(*regs) });
	return result(__func__, vcpu, err);
}

int kvmi_queue_reply_event(void *b, unsigned int msg_seq, const void *data,
			   size_t data_size)
{
	struct late_reply *reply, **link;
	struct batch *batch = b;

	reply = malloc(sizeof(*reply) + data_size);
	if (!reply)
		return result(__func__, NO_VCPU, -ENOMEM);
	*reply = (struct late_reply){
		.place = batch->pipeline.count,
		.seq = msg_seq,
		.size = data_size,
	};
	memcpy(reply->data, data, data_size);

	for (link = &batch->replies; *link; link = &(*link)->next)
		;
	*link = reply;
	return 0;
}

int kvmi_queue_page_access(void *b, unsigned long long *gpa,
			   unsigned char *access, unsigned short count,
			   unsigned short view)
{
	struct batch *batch = b;

	return result(__func__, NO_VCPU,
		      pipeline_add_access(&batch->pipeline, batch->dom, gpa,
					  access, count, view));
}

int kvmi_queue_pause_vcpu(void *b, unsigned short vcpu)
{
	struct batch *batch = b;

	return result(__func__, vcpu,
		      pipeline_add_pause(&batch->pipeline, vcpu));
}
