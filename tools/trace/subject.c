// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmi trace can show: how it is switched on, printed and answered. */
#include <errno.h>
#include <stdlib.h>

#include "trace.h"

#define EFER	0xc0000080
#define BITS	160	/* bytes of their names */

static int control_registers(struct trace *t, enum subject what,
			     unsigned int vcpu, bool enable)
{
	static const unsigned int crs[] = { 0, 3, 4 };
	int err = 0;
	size_t i;

	if (what <= CR4)
		return kvmi_vcpu_control_cr(t->vm, vcpu, crs[what], enable);
	for (i = 0; what == MSR && i < t->msr_count && !err; i++)
		err = kvmi_vcpu_control_msr(t->vm, vcpu, t->msrs[i], enable);
	return err;
}

/* An INT3 and a page are there for all vCPUs. */
static bool is_for(const struct trace *t, enum subject what, unsigned int vcpu)
{
	return t->wanted[what] &&
	       (t->filter.vcpu < 0 || (unsigned int)t->filter.vcpu == vcpu ||
		what == BREAKPOINT || what == PAGE || what == SYSCALL);
}

static int control(struct trace *t, unsigned int vcpu, bool enable)
{
	static const unsigned int events[WHATS] = {
		KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR,
		KVMI_VCPU_EVENT_MSR, KVMI_VCPU_EVENT_XSETBV,
		KVMI_VCPU_EVENT_DESCRIPTOR, KVMI_VCPU_EVENT_HYPERCALL,
		KVMI_VCPU_EVENT_BREAKPOINT, KVMI_VCPU_EVENT_PF,
		KVMI_VCPU_EVENT_BREAKPOINT,
	};
	enum subject what;
	int err = 0;

	for (what = 0; what < WHATS && !err; what++) {
		if (!is_for(t, what, vcpu))
			continue;
		err = control_registers(t, what, vcpu, enable);
		if (!err)
			err = kvmi_vcpu_control_events(t->vm, vcpu,
						       events[what], enable);
	}
	return err;
}

/* Others are plugged in while we watch. */
static int make_room(struct trace *t)
{
	struct kvmi_vm_get_info_reply info;
	bool *is_on;
	int err = kvmi_vm_get_info(t->vm, &info);

	if (err || info.vcpu_count <= t->vcpus)
		return err;
	is_on = realloc(t->is_on, info.vcpu_count * sizeof(*is_on));
	if (!is_on)
		return -ENOMEM;
	memset(is_on + t->vcpus, 0, info.vcpu_count - t->vcpus);
	t->is_on = is_on;
	t->vcpus = info.vcpu_count;
	return 0;
}

int subject_begin(struct trace *t)
{
	unsigned int i;
	int err = make_room(t);

	for (i = 0; i < t->vcpus && !err; i++) {
		if (t->is_on[i])
			continue;
		err = control(t, i, true);
		t->is_on[i] = !err;
		/* One that has not been started does nothing that counts. */
		if (err == -EAGAIN)
			err = 0;
		else if (err)
			complain(err, "cannot switch on the events of vCPU %u",
				 i);
	}
	return err;
}

/* Also where not all could be switched on. */
void subject_end(struct trace *t)
{
	unsigned int i;

	for (i = 0; i < t->vcpus; i++)
		control(t, i, false);
	free(t->is_on);
	t->is_on = NULL;
}

static void print_cr(struct trace *t, const struct kvmi_vcpu_event *state,
		     const struct kvmi_vcpu_event_cr *cr)
{
	enum subject what = cr->cr == 0 ? CR0 : cr->cr == 3 ? CR3 : CR4;
	char bits[BITS];
	struct field fields[] = {
		FIELD_HEX("old", cr->old_value),
		FIELD_HEX("new", cr->new_value),
		{ 0 }, { 0 },
	};

	if (*bits_changed(what, cr->old_value, cr->new_value, bits,
			  sizeof(bits)))
		fields[2] = (struct field)FIELD_TEXT("changed", bits);
	line_print(t, what, NULL, state, fields);
}

static void print_msr(struct trace *t, const struct kvmi_vcpu_event *state,
		      const struct kvmi_vcpu_event_msr *msr)
{
	const char *name = msr_name(msr->msr);
	char bits[BITS] = "", number[16];
	struct field fields[] = {
		FIELD_HEX("msr", msr->msr),
		FIELD_HEX("old", msr->old_value),
		FIELD_HEX("new", msr->new_value),
		FIELD_TEXT(name ? "name" : NULL, name),
		{ 0 }, { 0 },
	};

	if (msr->msr == EFER && *bits_changed(MSR, msr->old_value,
					      msr->new_value, bits,
					      sizeof(bits)))
		fields[4] = (struct field)FIELD_TEXT("changed", bits);
	snprintf(number, sizeof(number), "0x%x", msr->msr);
	line_print(t, MSR, name ? name : number, state, fields);
}

static void print_xsetbv(struct trace *t, const struct kvmi_vcpu_event *state,
			 const struct kvmi_vcpu_event_xsetbv *xsetbv)
{
	const struct field fields[] = {
		FIELD_HEX("xcr", xsetbv->xcr),
		FIELD_HEX("old", xsetbv->old_value),
		FIELD_HEX("new", xsetbv->new_value),
		{ 0 },
	};

	line_print(t, XSETBV, NULL, state, fields);
}

static void print_descriptor(struct trace *t,
			     const struct kvmi_vcpu_event *state,
			     const struct kvmi_vcpu_event_descriptor *desc)
{
	static const char *const tables[] = {
		[KVMI_DESC_IDTR] = "idtr", [KVMI_DESC_GDTR] = "gdtr",
		[KVMI_DESC_LDTR] = "ldtr", [KVMI_DESC_TR] = "tr",
	};
	bool known = desc->descriptor >= KVMI_DESC_IDTR &&
		     desc->descriptor <= KVMI_DESC_TR;
	const struct field fields[] = {
		FIELD_TEXT("table", known ? tables[desc->descriptor] : "?"),
		FIELD_TEXT("access", desc->write ? "load" : "store"),
		{ 0 },
	};

	line_print(t, DESCRIPTOR, fields[0].text, state, fields);
}

static void print_hypercall(struct trace *t,
			    const struct kvmi_vcpu_event *state)
{
	const struct field fields[] = {
		FIELD_HEX("rsi", state->arch.regs.rsi),
		FIELD_HEX("rdx", state->arch.regs.rdx),
		{ 0 },
	};

	line_print(t, HYPERCALL, NULL, state, fields);
}

static void print(struct trace *t, unsigned int id,
		  const struct kvmi_vcpu_event *state, const void *data)
{
	const struct kvmi_vcpu_event_cr *cr = data;

	if (id == KVMI_VCPU_EVENT_CR && cr->cr == 3)
		process_of_tables(t->guest, cr->new_value, &t->next);
	if (!line_takes(t, state))
		return;
	if (id == KVMI_VCPU_EVENT_CR)
		print_cr(t, state, data);
	else if (id == KVMI_VCPU_EVENT_MSR)
		print_msr(t, state, data);
	else if (id == KVMI_VCPU_EVENT_XSETBV)
		print_xsetbv(t, state, data);
	else if (id == KVMI_VCPU_EVENT_DESCRIPTOR)
		print_descriptor(t, state, data);
	else
		print_hypercall(t, state);
}

/* Lets the guest have its way. */
static int pass(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_msr *msr;
	const struct kvmi_vcpu_event_cr *cr;
	size_t size;

	switch (kvmi_event_get_id(event)) {
	case KVMI_VCPU_EVENT_CR:
		cr = kvmi_event_get_data(event, &size);
		return kvmi_event_reply_cr(t->vm, event, cr->new_value);
	case KVMI_VCPU_EVENT_MSR:
		msr = kvmi_event_get_data(event, &size);
		return kvmi_event_reply_msr(t->vm, event, msr->new_value);
	default:
		return kvmi_event_reply(t->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	}
}

int subject_event(struct trace *t, struct kvmi_event *event)
{
	unsigned int id = kvmi_event_get_id(event);
	const void *data;
	size_t size;

	data = kvmi_event_get_data(event, &size);
	t->next.is_known = false;
	switch (id) {
	case KVMI_VM_EVENT_UNHOOK:
		t->is_unhooking = true;
		return 0;
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return point_hit(t, event);
	case KVMI_VCPU_EVENT_PAUSE:
		return point_passed(t, event);
	case KVMI_VCPU_EVENT_SINGLESTEP:
		return point_stepped(t, event);
	case KVMI_VCPU_EVENT_PF:
		page_print(t, event, data);
		if (t->is_denying)
			return kvmi_event_reply_skip(t->vm, event);
		break;
	case KVMI_VCPU_EVENT_CR:
	case KVMI_VCPU_EVENT_MSR:
	case KVMI_VCPU_EVENT_XSETBV:
	case KVMI_VCPU_EVENT_DESCRIPTOR:
	case KVMI_VCPU_EVENT_HYPERCALL:
		print(t, id, kvmi_event_get_state(event), data);
		break;
	default:
		return -EPROTO;
	}
	return pass(t, event);
}

/* After the bytes are back: what is left goes on as if nobody looked. */
void subject_let_go(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_breakpoint *bp;
	size_t size;

	bp = kvmi_event_get_data(event, &size);
	if (kvmi_event_get_id(event) == KVMI_VCPU_EVENT_BREAKPOINT &&
	    point_find(t, bp->gpa))
		kvmi_event_reply(t->vm, event, KVMI_EVENT_ACTION_RETRY, NULL,
				 0);
	else
		pass(t, event);
}
