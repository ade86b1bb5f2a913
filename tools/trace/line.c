// SPDX-License-Identifier: GPL-2.0-or-later
/* The lines and the objects of kvmi trace. */
#include <inttypes.h>

#include "trace.h"

#define WHO	24

const char *const subject_names[WHATS] = {
	"cr0", "cr3", "cr4", "msr", "xsetbv", "descriptor", "hypercall",
	"breakpoint", "page", "syscall",
};

static void print_field(const struct field *field)
{
	if (field->is_for_programs)
		return;
	if (field->is_bare)
		printf("  %s", field->text);
	else if (field->text)
		printf("  %s %s", field->key, field->text);
	else if (field->is_decimal)
		printf("  %s %" PRIu64, field->key, field->number);
	else
		printf("  %s 0x%" PRIx64, field->key, field->number);
}

static void print_line(const struct trace *t, double time, enum subject what,
		       const struct kvmi_vcpu_event *state,
		       const struct field *fields)
{
	char who[WHO + 8], next[WHO + 8];

	printf("%12.6f %4u  ", time, state->vcpu);
	if (t->guest)
		printf("%-*s ", WHO, process_format(&t->here, who, sizeof(who)));
	printf("%-10s %016llx", subject_names[what], state->arch.regs.rip);
	for (; fields->key; fields++)
		print_field(fields);
	if (what == CR3 && t->next.is_known)
		printf("  to %s", process_format(&t->next, next, sizeof(next)));
	putchar('\n');
}

static struct json_object *field_object(const struct field *field)
{
	if (field->object)
		return field->object;
	if (field->text)
		return json_object_new_string(field->text);
	if (field->is_decimal)
		return json_object_new_int64((int64_t)field->number);
	return json_gpa(field->number);
}

static void add_process(struct json_object *o, const struct process *process,
			const char *pid, const char *tid, const char *comm)
{
	if (!process->is_known)
		return;
	json_object_object_add(o, pid, json_object_new_int(process->pid));
	json_object_object_add(o, tid, json_object_new_int(process->tid));
	json_object_object_add(o, comm, json_object_new_string(process->comm));
}

static void print_object(const struct trace *t, double time, enum subject what,
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
		json_object_object_add(o, fields->key, field_object(fields));
	add_process(o, &t->here, "pid", "tid", "comm");
	add_process(o, &t->next, "next_pid", "next_tid", "next_comm");
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}

static void drop(const struct field *fields)
{
	for (; fields->key; fields++)
		json_object_put(fields->object);
}

/* A switch concerns both of its processes. */
bool line_takes(struct trace *t, const struct kvmi_vcpu_event *state)
{
	if (t->filter.vcpu >= 0 && state->vcpu != t->filter.vcpu)
		return false;
	process_here(t->guest, state, &t->here);
	return filter_takes(&t->filter, &t->here) ||
	       filter_takes(&t->filter, &t->next);
}

void line_print(struct trace *t, enum subject what, const char *name,
		const struct kvmi_vcpu_event *state, const struct field *fields)
{
	double time = trace_now() - t->start;

	t->counts[what]++;
	t->total++;
	if (t->rates)
		rates_count(t->rates, subject_names[what], name, &t->here);
	if (t->is_quiet || t->rates)
		drop(fields);
	else if (t->is_json)
		print_object(t, time, what, state, fields);
	else
		print_line(t, time, what, state, fields);
}
