// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi trace: what vCPUs do, event by event. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"
#include "trace.h"

#define POLL_MS		100

enum { OPTION_SECONDS = OPTION_OWN, OPTION_COUNT };
static const char *const names[WHATS] = {
	"cr0", "cr3", "cr4", "hypercall", "breakpoint",
};

volatile sig_atomic_t trace_is_stopped;

static void stop(int number)
{
	(void)number;
	trace_is_stopped = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int control(struct trace *t, unsigned int vcpu, bool enable)
{
	static const unsigned int events[WHATS] = {
		KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR, KVMI_VCPU_EVENT_CR,
		KVMI_VCPU_EVENT_HYPERCALL, KVMI_VCPU_EVENT_BREAKPOINT,
	};
	static const unsigned int crs[] = { 0, 3, 4 };
	int err = 0, i;

	for (i = 0; i < WHATS && !err; i++) {
		if (!t->wanted[i])
			continue;
		if (i <= CR4)
			err = kvmi_vcpu_control_cr(t->vm, vcpu, crs[i], enable);
		if (!err)
			err = kvmi_vcpu_control_events(t->vm, vcpu, events[i],
						       enable);
	}
	/* A vCPU that has not been started does nothing that counts. */
	return err == -EAGAIN ? 0 : err;
}

static int start(struct trace *t)
{
	unsigned int i;
	size_t j;
	int err = 0;

	for (i = 0; i < t->vcpus && !err; i++) {
		err = control(t, i, true);
		if (err)
			complain(err, "cannot switch on the events of vCPU %u",
				 i);
	}
	for (j = 0; j < t->point_count && !err; j++)
		err = point_set(t, &t->points[j]);
	/* To leave in time when the device manager wants that. */
	if (!err)
		kvmi_vm_control_events(t->vm, KVMI_VM_EVENT_UNHOOK, true);
	return err;
}

static void print_text(double time, enum subject what,
		       const struct kvmi_vcpu_event *state,
		       const struct detail *details)
{
	printf("%12.6f %4u  %-10s %016llx", time, state->vcpu, names[what],
	       state->arch.regs.rip);
	for (; details->key; details++)
		printf("  %s 0x%" PRIx64, details->key, details->value);
	putchar('\n');
}

static void print_object(double time, enum subject what,
			 const struct kvmi_vcpu_event *state,
			 const struct detail *details)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "time", json_object_new_double(time));
	json_object_object_add(o, "vcpu", json_object_new_int(state->vcpu));
	json_object_object_add(o, "event", json_object_new_string(names[what]));
	json_object_object_add(o, "rip", json_gpa(state->arch.regs.rip));
	for (; details->key; details++)
		json_object_object_add(o, details->key,
				       json_gpa(details->value));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

void trace_print(struct trace *t, enum subject what,
		 const struct kvmi_vcpu_event *state,
		 const struct detail *details)
{
	double time = now() - t->start;

	t->counts[what]++;
	t->total++;
	if (t->is_quiet)
		return;
	if (t->is_json)
		print_object(time, what, state, details);
	else
		print_text(time, what, state, details);
}

static int on_cr(struct trace *t, struct kvmi_event *event)
{
	struct detail details[] = { { "old", 0 }, { "new", 0 }, { 0 } };
	const struct kvmi_vcpu_event_cr *cr;
	size_t size;

	cr = kvmi_event_get_data(event, &size);
	details[0].value = cr->old_value;
	details[1].value = cr->new_value;
	trace_print(t, cr->cr == 0 ? CR0 : cr->cr == 3 ? CR3 : CR4,
		    kvmi_event_get_state(event), details);
	return kvmi_event_reply_cr(t->vm, event, cr->new_value);
}

static int on_hypercall(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct detail details[] = {
		{ "rsi", state->arch.regs.rsi },
		{ "rdx", state->arch.regs.rdx },
		{ 0 },
	};

	trace_print(t, HYPERCALL, state, details);
	return kvmi_event_reply(t->vm, event, KVMI_EVENT_ACTION_CONTINUE,
				NULL, 0);
}

static int on_event(struct trace *t, struct kvmi_event *event)
{
	switch (kvmi_event_get_id(event)) {
	case KVMI_VM_EVENT_UNHOOK:
		t->is_unhooking = true;
		return 0;
	case KVMI_VCPU_EVENT_CR:
		return on_cr(t, event);
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return point_hit(t, event);
	case KVMI_VCPU_EVENT_PAUSE:
		return point_passed(t, event);
	case KVMI_VCPU_EVENT_HYPERCALL:
		return on_hypercall(t, event);
	default:
		return -EPROTO;
	}
}

static bool is_over(const struct trace *t)
{
	return trace_is_stopped || t->is_unhooking ||
	       (t->seconds > 0 && now() - t->start >= t->seconds) ||
	       (t->count_max && t->total >= t->count_max);
}

static int watch(struct trace *t)
{
	struct kvmi_event *event;
	int err = 0;

	while (!err && !is_over(t)) {
		err = kvmi_vm_next_event(t->vm, POLL_MS, &event);
		if (err == -ETIMEDOUT) {
			fflush(stdout);
			err = 0;
			continue;
		}
		if (err)
			break;
		err = on_event(t, event);
		if (err)
			t->left = event;
		else
			kvmi_event_free(event);
	}
	if (err)
		complain(err, "the trace ends early");
	return err;
}

/* After the bytes are back: what is left goes on as if nobody looked. */
static void let_go(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_breakpoint *bp;
	const struct kvmi_vcpu_event_cr *cr;
	unsigned int action = KVMI_EVENT_ACTION_CONTINUE;
	size_t size;

	if (kvmi_event_get_id(event) == KVMI_VCPU_EVENT_CR) {
		cr = kvmi_event_get_data(event, &size);
		kvmi_event_reply_cr(t->vm, event, cr->new_value);
		return;
	}
	if (kvmi_event_get_id(event) == KVMI_VCPU_EVENT_BREAKPOINT) {
		bp = kvmi_event_get_data(event, &size);
		if (point_find(t, bp->gpa))
			action = KVMI_EVENT_ACTION_RETRY;
	}
	kvmi_event_reply(t->vm, event, action, NULL, 0);
}

static int finish(struct trace *t)
{
	struct kvmi_event *event;
	unsigned int i;
	int err = 0, late;
	size_t j;

	for (j = 0; j < t->point_count; j++) {
		late = point_disarm(t, &t->points[j]);
		err = late ? late : err;
	}
	/* Once this is answered no event can come that is not here yet. */
	for (i = 0; i < t->vcpus; i++)
		control(t, i, false);
	if (t->left)
		let_go(t, t->left);
	kvmi_event_free(t->left);
	while (!kvmi_vm_next_event(t->vm, 0, &event)) {
		let_go(t, event);
		kvmi_event_free(event);
	}
	return err;
}

static void print_summary(const struct trace *t, double seconds)
{
	struct json_object *o = json_object_new_object();
	struct json_object *row;
	double rate;
	int i;

	json_object_object_add(o, "seconds", json_object_new_double(seconds));
	for (i = 0; i < WHATS; i++) {
		if (!t->wanted[i])
			continue;
		if (!t->is_json)
			printf("%-10s %" PRIu64 " in %.1f s, %.1f per second\n",
			       names[i], t->counts[i], seconds,
			       (double)t->counts[i] / seconds);
		row = json_object_new_object();
		json_object_object_add(row, "count",
				       json_object_new_int64((int64_t)t->counts[i]));
		rate = (double)t->counts[i] / seconds;
		json_object_object_add(row, "per_second",
				       json_object_new_double(rate));
		json_object_object_add(o, names[i], row);
	}
	if (t->is_json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static int trace(struct trace *t)
{
	const struct sigaction action = { .sa_handler = stop };
	double seconds;
	unsigned int first;
	int err, late;

	err = vcpu_range(t->vm, -1, &first, &t->vcpus);
	if (err)
		return err;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);

	t->start = now();
	err = start(t);
	if (!err && t->is_verbose)
		fprintf(stderr, "kvmi: watching %u vCPUs\n", t->vcpus);
	if (!err)
		err = watch(t);
	seconds = now() - t->start;
	late = finish(t);
	print_summary(t, seconds > 0 ? seconds : 1);
	return err ? err : late;
}

static void add_what(struct trace *t, const char *text)
{
	uint64_t gva;
	int i;

	for (i = 0; i < WHATS; i++) {
		if (strcmp(text, names[i]))
			continue;
		t->wanted[i] = true;
		return;
	}
	if (!t->wanted[BREAKPOINT] || parse_number(text, &gva))
		usage(&verb_trace, "'%s' is nothing to trace", text);
	if (t->point_count == POINTS)
		usage(&verb_trace, "there are more than %d breakpoints", POINTS);
	t->points[t->point_count++].gva = gva;
}

static uint64_t number(const char *text)
{
	uint64_t value;

	if (parse_number(text, &value) || value > INT_MAX)
		usage(&verb_trace, "'%s' is no number", text);
	return value;
}

static void read_arguments(struct trace *t, char **args)
{
	if (!*args)
		usage(&verb_trace, "say what to trace");
	for (; *args; args++)
		add_what(t, *args);
	if (t->wanted[BREAKPOINT] && !t->point_count)
		usage(&verb_trace, "say where, as breakpoint 0xffffffff81000000");
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ "count", required_argument, NULL, OPTION_COUNT },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	struct session session;
	struct trace t = { 0 };
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT "q", options,
				     NULL)) >= 0) {
		if (option == OPTION_SECONDS)
			t.seconds = (double)number(optarg);
		else if (option == OPTION_COUNT)
			t.count_max = number(optarg);
		else if (option == 'q')
			t.is_quiet = true;
		else
			common_option(&common, &verb_trace, option);
	}
	read_arguments(&t, argv + optind);

	status = session_open(&session, &common);
	if (status)
		return status;
	t.vm = session.vm;
	t.is_json = common.is_json;
	t.is_verbose = common.is_verbose;
	err = trace(&t);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_trace = {
	.name = "trace",
	.arguments = "cr0|cr3|cr4|hypercall|breakpoint GVA...",
	.summary = "Show what vCPUs do: control registers, hypercalls, breakpoints",
	.help = "      --seconds S     how long; default until interrupted\n"
		"      --count N       end after so many events\n"
		"  -q, --quiet         the summary only\n",
	.run = run,
};
