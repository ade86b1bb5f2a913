// SPDX-License-Identifier: GPL-2.0-or-later
/* Judge and answer the events of a guest that kvmi protect guards. */
#include <errno.h>

#include "protect.h"

#define GENERAL_FAULT	13
#define PAGE_FAULT	14
#define BY_WRITE	3	/* the error code: present, write */
#define BY_USER		4

int protect_read(struct kvmi_vm *vm, unsigned int vcpu, uint64_t gva, void *to,
		 size_t size)
{
	uint64_t gpa;
	size_t n;
	int err;

	for (; size; size -= n, gva += n, to = (char *)to + n) {
		n = PAGE_SIZE - gva % PAGE_SIZE;
		if (n > size)
			n = size;
		err = kvmi_vcpu_translate_gva(vm, vcpu, gva, &gpa);
		if (!err && gpa == UINT64_MAX)
			err = -EFAULT;
		if (!err)
			err = kvmi_vm_read_physical(vm, gpa, to, n);
		if (err)
			return err;
	}
	return 0;
}

/* An instruction that cannot be measured, and so not skipped, gets a fault. */
static int deny(struct protect *p, struct kvmi_event *event,
		const struct kvmi_vcpu_event_pf *pf)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	unsigned int vcpu = state->vcpu, code = BY_WRITE;
	int err = kvmi_event_reply_skip(p->vm, event);

	if (err != -EFAULT && err != -EILSEQ)
		return err;
	if (state->arch.sregs.ss.dpl == 3)
		code |= BY_USER;
	if (pf->gva == UINT64_MAX)
		err = kvmi_vcpu_inject_exception(p->vm, vcpu, GENERAL_FAULT, 0,
						 0);
	else
		err = kvmi_vcpu_inject_exception(p->vm, vcpu, PAGE_FAULT,
						 code, pf->gva);
	if (err && err != -EBUSY)
		return err;
	return kvmi_event_reply(p->vm, event, KVMI_EVENT_ACTION_RETRY, NULL, 0);
}

/* What was there, and what would be, as far as that can be told. */
static void read_store(struct protect *p, const struct kvmi_event *event,
		       const struct kvmi_vcpu_event_pf *pf, struct attempt *a)
{
	a->has_bytes = !own_read_store(p, event, pf->gva, a->new, &a->size) &&
		       pf->gpa % PAGE_SIZE + a->size <= PAGE_SIZE &&
		       !kvmi_vm_read_physical(p->vm, pf->gpa, a->old, a->size);
}

static int refuse(struct protect *p, struct kvmi_event *event,
		  const struct kvmi_vcpu_event_pf *pf, const struct area *area)
{
	static const char *const names[] = { "text", "rodata", "idt", "gdt" };
	struct attempt a = {
		.what = area->what, .name = names[area->what], .gpa = pf->gpa,
		.address = area->gva + (pf->gpa - area->gpa),
	};

	if (area->what == TEXT)
		own_forget(p);
	if (attempt_count(p, event, &a)) {
		read_store(p, event, pf, &a);
		attempt_tell(p, event, &a);
	}
	if (p->mode == MODE_DENY)
		return deny(p, event, pf);
	return kvmi_event_reply(p->vm, event, p->mode == MODE_CRASH ?
				KVMI_EVENT_ACTION_CRASH :
				KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
}

static int take_store(struct protect *p, struct kvmi_event *event,
		      const struct kvmi_vcpu_event_pf *pf)
{
	const struct area *area = lock_at(p, pf->gpa);
	int err = 0;

	if (area)
		err = (area->what == GDT ? gdt_judge : own_judge)(p, event, pf,
								  area);

	if (err == -EPERM)
		return refuse(p, event, pf, area);
	return err ? err : kvmi_event_reply(p->vm, event,
					    KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
}

static int take(struct protect *p, struct kvmi_event *event)
{
	const void *data;
	size_t size;

	data = kvmi_event_get_data(event, &size);
	switch (kvmi_event_get_id(event)) {
	case KVMI_VM_EVENT_UNHOOK:
		p->is_unhooking = true;
		return 0;
	case KVMI_VCPU_EVENT_PF:
		return take_store(p, event, data);
	case KVMI_VCPU_EVENT_CR:
		return pin_cr(p, event, data);
	case KVMI_VCPU_EVENT_MSR:
		return pin_msr(p, event, data);
	case KVMI_VCPU_EVENT_DESCRIPTOR:
		return pin_table(p, event, data);
	default:
		/* TRAP tells of a fault of ours. */
		return kvmi_event_reply(p->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	}
}

/* On what has failed: no vCPU shall wait for us. One that was answered does not. */
static void let_go(struct protect *p, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_msr *msr;
	const struct kvmi_vcpu_event_cr *cr;
	size_t size;

	cr = kvmi_event_get_data(event, &size);
	msr = kvmi_event_get_data(event, &size);
	switch (kvmi_event_get_id(event)) {
	case KVMI_VM_EVENT_UNHOOK:
		break;
	case KVMI_VCPU_EVENT_CR:
		kvmi_event_reply_cr(p->vm, event, cr->new_value);
		break;
	case KVMI_VCPU_EVENT_MSR:
		kvmi_event_reply_msr(p->vm, event, msr->new_value);
		break;
	default:
		kvmi_event_reply(p->vm, event, KVMI_EVENT_ACTION_CONTINUE, NULL,
				 0);
	}
}

int guard_next(struct protect *p, int timeout)
{
	struct kvmi_event *event;
	int err = kvmi_vm_next_event(p->vm, timeout, &event);

	if (err)
		return err;
	err = take(p, event);
	if (err)
		let_go(p, event);
	kvmi_event_free(event);
	return err;
}
