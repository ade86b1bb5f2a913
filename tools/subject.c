// SPDX-License-Identifier: GPL-2.0-or-later
/* What kvmi trace can show: how it is switched on, printed and answered. */
#include <errno.h>
#include <inttypes.h>

#include "trace.h"

const char *const subject_names[WHATS] = {
	"cr0", "cr3", "cr4", "msr", "xsetbv", "descriptor", "hypercall",
	"breakpoint", "page",
};

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

int subject_control(struct trace *t, unsigned int vcpu, bool enable)
{
	static const unsigned int events[WHATS] = {
		KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR,
		KVMI_VCPU_EVENT_MSR, KVMI_VCPU_EVENT_XSETBV,
		KVMI_VCPU_EVENT_DESCRIPTOR, KVMI_VCPU_EVENT_HYPERCALL,
		KVMI_VCPU_EVENT_BREAKPOINT, KVMI_VCPU_EVENT_PF,
	};
	enum subject what;
	int err = 0;

	for (what = 0; what < WHATS && !err; what++) {
		if (!t->wanted[what])
			continue;
		err = control_registers(t, what, vcpu, enable);
		if (!err)
			err = kvmi_vcpu_control_events(t->vm, vcpu,
						       events[what], enable);
	}
	/* A vCPU that has not been started does nothing that counts. */
	return err == -EAGAIN ? 0 : err;
}

static void print_line(double time, enum subject what,
		       const struct kvmi_vcpu_event *state,
		       const struct field *fields)
{
	printf("%12.6f %4u  %-10s %016llx", time, state->vcpu,
	       subject_names[what], state->arch.regs.rip);
	for (; fields->key; fields++) {
		if (fields->text)
			printf("  %s %s", fields->key, fields->text);
		else
			printf("  %s 0x%" PRIx64, fields->key, fields->number);
	}
	putchar('\n');
}

static void print_object(double time, enum subject what,
			 const struct kvmi_vcpu_event *state,
			 const struct field *fields)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time", json_object_new_double(time));
	json_object_object_add(o, "vcpu", json_object_new_int(state->vcpu));
	json_object_object_add(o, "event",
			       json_object_new_string(subject_names[what]));
	json_object_object_add(o, "rip", json_gpa(state->arch.regs.rip));
	for (; fields->key; fields++)
		json_object_object_add(o, fields->key, fields->text ?
				       json_object_new_string(fields->text) :
				       json_gpa(fields->number));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

void subject_print(struct trace *t, enum subject what,
		   const struct kvmi_vcpu_event *state,
		   const struct field *fields)
{
	double time = trace_now() - t->start;

	t->counts[what]++;
	t->total++;
	if (t->is_quiet)
		return;
	if (t->is_json)
		print_object(time, what, state, fields);
	else
		print_line(time, what, state, fields);
}

static void print_cr(struct trace *t, struct kvmi_event *event,
		     const struct kvmi_vcpu_event_cr *cr)
{
	const struct field fields[] = {
		{ "old", NULL, cr->old_value },
		{ "new", NULL, cr->new_value },
		{ 0 },
	};

	subject_print(t, cr->cr == 0 ? CR0 : cr->cr == 3 ? CR3 : CR4,
		      kvmi_event_get_state(event), fields);
}

static void print_msr(struct trace *t, struct kvmi_event *event,
		      const struct kvmi_vcpu_event_msr *msr)
{
	const struct field fields[] = {
		{ "msr", NULL, msr->msr },
		{ "old", NULL, msr->old_value },
		{ "new", NULL, msr->new_value },
		{ 0 },
	};

	subject_print(t, MSR, kvmi_event_get_state(event), fields);
}

static void print_xsetbv(struct trace *t, struct kvmi_event *event,
			 const struct kvmi_vcpu_event_xsetbv *xsetbv)
{
	const struct field fields[] = {
		{ "xcr", NULL, xsetbv->xcr },
		{ "old", NULL, xsetbv->old_value },
		{ "new", NULL, xsetbv->new_value },
		{ 0 },
	};

	subject_print(t, XSETBV, kvmi_event_get_state(event), fields);
}

static void print_descriptor(struct trace *t, struct kvmi_event *event,
			     const struct kvmi_vcpu_event_descriptor *desc)
{
	static const char *const tables[] = {
		[KVMI_DESC_IDTR] = "idtr", [KVMI_DESC_GDTR] = "gdtr",
		[KVMI_DESC_LDTR] = "ldtr", [KVMI_DESC_TR] = "tr",
	};
	bool known = desc->descriptor >= KVMI_DESC_IDTR &&
		     desc->descriptor <= KVMI_DESC_TR;
	const struct field fields[] = {
		{ "table", known ? tables[desc->descriptor] : "?", 0 },
		{ "access", desc->write ? "load" : "store", 0 },
		{ 0 },
	};

	subject_print(t, DESCRIPTOR, kvmi_event_get_state(event), fields);
}

static void print_hypercall(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct field fields[] = {
		{ "rsi", NULL, state->arch.regs.rsi },
		{ "rdx", NULL, state->arch.regs.rdx },
		{ 0 },
	};

	subject_print(t, HYPERCALL, state, fields);
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
	const void *data;
	size_t size;

	data = kvmi_event_get_data(event, &size);
	switch (kvmi_event_get_id(event)) {
	case KVMI_VM_EVENT_UNHOOK:
		t->is_unhooking = true;
		return 0;
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return point_hit(t, event);
	case KVMI_VCPU_EVENT_PAUSE:
		return point_passed(t, event);
	case KVMI_VCPU_EVENT_SINGLESTEP:
		return point_stepped(t, event);
	case KVMI_VCPU_EVENT_CR:
		print_cr(t, event, data);
		break;
	case KVMI_VCPU_EVENT_MSR:
		print_msr(t, event, data);
		break;
	case KVMI_VCPU_EVENT_XSETBV:
		print_xsetbv(t, event, data);
		break;
	case KVMI_VCPU_EVENT_DESCRIPTOR:
		print_descriptor(t, event, data);
		break;
	case KVMI_VCPU_EVENT_PF:
		page_print(t, event, data);
		if (t->is_denying)
			return kvmi_event_reply_skip(t->vm, event);
		break;
	case KVMI_VCPU_EVENT_HYPERCALL:
		print_hypercall(t, event);
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
