// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi trace: what vCPUs do, event by event. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"
#include "trace.h"

#define POLL_MS		100

enum { OPTION_SECONDS = OPTION_OWN, OPTION_COUNT, OPTION_DENY };

double trace_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool can_step(struct kvmi_vm *vm)
{
	struct kvmi_get_version_reply version;

	return !kvmi_get_version(vm, &version) && version.features.singlestep &&
	       !kvmi_vm_check_command(vm, KVMI_VCPU_CONTROL_SINGLESTEP) &&
	       !kvmi_vm_check_event(vm, KVMI_VCPU_EVENT_SINGLESTEP);
}

static int start(struct trace *t)
{
	unsigned int i;
	size_t j;
	int err = 0;

	t->can_step = t->point_count && can_step(t->vm);
	for (i = 0; i < t->vcpus && !err; i++) {
		err = subject_control(t, i, true);
		if (err)
			complain(err, "cannot switch on the events of vCPU %u",
				 i);
	}
	for (j = 0; j < t->point_count && !err; j++)
		err = point_set(t, &t->points[j]);
	for (j = 0; j < t->page_count && !err; j++)
		err = page_set(t, &t->pages[j]);
	/* To leave in time when the device manager wants that. */
	if (!err)
		kvmi_vm_control_events(t->vm, KVMI_VM_EVENT_UNHOOK, true);
	return err;
}

static bool is_over(const struct trace *t)
{
	return is_stopped || t->is_unhooking ||
	       (t->seconds > 0 && trace_now() - t->start >= t->seconds) ||
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
		err = subject_event(t, event);
		if (err)
			t->left = event;
		else
			kvmi_event_free(event);
	}
	if (err)
		complain(err, "the trace ends early");
	return err;
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
		point_leave(t, &t->points[j]);
	}
	for (j = 0; j < t->page_count; j++)
		page_clear(t, &t->pages[j]);
	/* Once this is answered no event can come that is not here yet. */
	for (i = 0; i < t->vcpus; i++)
		subject_control(t, i, false);
	if (t->left)
		subject_let_go(t, t->left);
	kvmi_event_free(t->left);
	while (!kvmi_vm_next_event(t->vm, 0, &event)) {
		subject_let_go(t, event);
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
			       subject_names[i], t->counts[i], seconds,
			       (double)t->counts[i] / seconds);
		row = json_object_new_object();
		json_object_object_add(row, "count",
				       json_object_new_int64((int64_t)t->counts[i]));
		rate = (double)t->counts[i] / seconds;
		json_object_object_add(row, "per_second",
				       json_object_new_double(rate));
		json_object_object_add(o, subject_names[i], row);
	}
	if (t->is_json)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static int trace(struct trace *t)
{
	double seconds;
	unsigned int first;
	int err, late;

	err = vcpu_range(t->vm, -1, &first, &t->vcpus);
	if (err)
		return err;
	stop_by_signals();
	t->start = trace_now();
	err = start(t);
	if (!err && t->is_verbose)
		fprintf(stderr, "kvmi: watching %u vCPUs\n", t->vcpus);
	if (!err)
		err = watch(t);
	seconds = trace_now() - t->start;
	late = finish(t);
	print_summary(t, seconds > 0 ? seconds : 1);
	return err ? err : late;
}

static void add_point(struct trace *t, uint64_t gva)
{
	if (t->point_count == POINTS)
		usage(&verb_trace, "there are more than %d breakpoints", POINTS);
	t->points[t->point_count++].gva = gva;
}

static void add_page(struct trace *t, uint64_t gva)
{
	if (t->page_count == PAGES)
		usage(&verb_trace, "there are more than %d pages", PAGES);
	t->pages[t->page_count++].gva = gva;
}

static void add_msr(struct trace *t, const char *text)
{
	if (t->msr_count == MSRS)
		usage(&verb_trace, "there are more than %d MSRs", MSRS);
	if (parse_msr(text, &t->msrs[t->msr_count++]))
		usage(&verb_trace, "'%s' is nothing to trace", text);
}

/* Returns what was named; what else is there belongs to the one before. */
static enum subject add_what(struct trace *t, enum subject before,
			     const char *text)
{
	enum subject what;
	uint64_t value;

	for (what = 0; what < WHATS; what++) {
		if (strcmp(text, subject_names[what]))
			continue;
		t->wanted[what] = true;
		return what;
	}
	if (before == MSR)
		add_msr(t, text);
	else if (before == BREAKPOINT && !parse_number(text, &value))
		add_point(t, value);
	else if (before == PAGE && !parse_number(text, &value))
		add_page(t, value);
	else
		usage(&verb_trace, "'%s' is nothing to trace", text);
	return before;
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
	enum subject what = WHATS;

	if (!*args)
		usage(&verb_trace, "say what to trace");
	for (; *args; args++)
		what = add_what(t, what, *args);
	if (t->wanted[MSR] && !t->msr_count)
		usage(&verb_trace, "say which MSR, as msr lstar");
	if (t->wanted[BREAKPOINT] && !t->point_count)
		usage(&verb_trace, "say where, as breakpoint 0xffffffff81000000");
	if ((t->wanted[PAGE] || t->is_denying) && !t->page_count)
		usage(&verb_trace, "say which page, as page 0xffffffff81000000");
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ "count", required_argument, NULL, OPTION_COUNT },
		{ "deny", no_argument, NULL, OPTION_DENY },
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
		else if (option == OPTION_DENY)
			t.is_denying = true;
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
	.arguments = "cr0|cr3|cr4|msr MSR...|xsetbv|descriptor|hypercall|breakpoint GVA...|page GVA...",
	.summary = "Show what vCPUs do: writes of registers, hypercalls, breakpoints, stores",
	.help = "      --seconds S     how long; default until interrupted\n"
		"      --count N       end after so many events\n"
		"      --deny          skip the instructions that store to a page\n"
		"  -q, --quiet         the summary only\n",
	.run = run,
};
