// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi trace: what vCPUs do, event by event. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"
#include "linux.h"
#include "trace.h"

#define POLL_MS		100
#define RATE_SECONDS	1

enum {
	OPTION_SECONDS = OPTION_OWN, OPTION_COUNT, OPTION_DENY, OPTION_NAMES,
	OPTION_NO_SYMBOLS, OPTION_RATE, OPTION_PID, OPTION_COMM, OPTION_VCPU,
	OPTION_RETURN,
};

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
	size_t j;
	int err;

	t->can_step = t->point_count && can_step(t->vm);
	err = subject_begin(t);
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
	return is_stopped || t->is_unhooking || ferror(stdout) ||
	       (t->seconds > 0 && trace_now() - t->start >= t->seconds) ||
	       (t->count_max && t->total >= t->count_max);
}

static void show_rates(struct trace *t, bool is_all)
{
	double now = trace_now(), seconds = now - t->shown;

	if (!t->rates || (!is_all && seconds < RATE_SECONDS))
		return;
	if (is_all)
		seconds = now - t->start;
	if (!t->is_quiet || is_all)
		rates_show(t->rates, now - t->start, seconds, is_all,
			   t->is_json);
	t->shown = now;
}

/* An INT3 that a vCPU does not report is the guest's, which knows nothing of it. */
static int look_for_vcpus(struct trace *t)
{
	double now = trace_now();

	if (now - t->looked < POLL_MS / 1e3)
		return 0;
	t->looked = now;
	return subject_begin(t);
}

static int watch(struct trace *t)
{
	struct kvmi_event *event;
	int err = 0;

	while (!err && !is_over(t)) {
		show_rates(t, false);
		err = kvmi_vm_next_event(t->vm, POLL_MS, &event);
		if (err == -ETIMEDOUT) {
			fflush(stdout);
			err = look_for_vcpus(t);
			continue;
		}
		if (err)
			break;
		err = subject_event(t, event);
		if (err)
			t->left = event;
		else
			kvmi_event_free(event);
		if (!err)
			err = look_for_vcpus(t);
	}
	if (err)
		complain(err, "the trace ends early");
	return err;
}

static int finish(struct trace *t)
{
	struct kvmi_event *event;
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
	subject_end(t);
	if (t->left)
		subject_let_go(t, t->left);
	kvmi_event_free(t->left);
	while (!kvmi_vm_next_event(t->vm, 0, &event)) {
		subject_let_go(t, event);
		kvmi_event_free(event);
	}
	return err;
}

static int trace(struct trace *t)
{
	double seconds;
	int err, late;

	stop_by_signals();
	t->start = t->shown = trace_now();
	err = start(t);
	if (!err && t->is_verbose)
		fprintf(stderr, "kvmi: watching %u vCPUs\n", t->vcpus);
	if (!err)
		err = watch(t);
	seconds = trace_now() - t->start;
	late = finish(t);
	show_rates(t, true);
	sum_print(t, seconds > 0 ? seconds : 1);
	return err ? err : late;
}

static uint64_t number(const char *text)
{
	uint64_t value;

	if (parse_number(text, &value) || value > INT_MAX)
		usage(&verb_trace, "'%s' is no number", text);
	return value;
}

static void take_option(struct trace *t, struct common *common, int option)
{
	switch (option) {
	case OPTION_SECONDS:
		t->seconds = (double)number(optarg);
		break;
	case OPTION_COUNT:
		t->count_max = number(optarg);
		break;
	case OPTION_DENY:
		t->is_denying = true;
		break;
	case OPTION_NAMES:
		t->wants_names = true;
		break;
	case OPTION_NO_SYMBOLS:
		t->wants_no_symbols = true;
		break;
	case OPTION_RETURN:
		t->wants_returns = true;
		break;
	case OPTION_RATE:
		t->is_rating = true;
		break;
	case OPTION_PID:
		t->filter.pid = (int)number(optarg);
		break;
	case OPTION_COMM:
		t->filter.comm = optarg;
		break;
	case OPTION_VCPU:
		t->filter.vcpu = vcpu_option(&verb_trace, optarg);
		break;
	case 'q':
		t->is_quiet = true;
		break;
	default:
		common_option(common, &verb_trace, option);
	}
}

/* Before anything is changed: the first time may take its while. */
static int open_guest(struct trace *t)
{
	int err;

	if (!arguments_need_guest(t))
		return 0;
	err = guest_find_linux(&t->guest, t->vm);
	if (err == -ENOENT)
		complain(0, "no Linux runs in the guest, or it has no symbols; --no-symbols goes without");
	else if (err)
		complain(err, "cannot read the symbols of the guest's kernel; --no-symbols goes without");
	return err ? err : arguments_resolve(t);
}

static int run_on(struct trace *t)
{
	int err;

	if (t->is_rating)
		t->rates = rates_new();
	err = open_guest(t);
	if (!err && t->wanted[SYSCALL])
		err = syscall_prepare(t);
	if (!err)
		err = trace(t);
	linux_close(t->guest);
	rates_free(t->rates);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ "count", required_argument, NULL, OPTION_COUNT },
		{ "deny", no_argument, NULL, OPTION_DENY },
		{ "names", no_argument, NULL, OPTION_NAMES },
		{ "no-symbols", no_argument, NULL, OPTION_NO_SYMBOLS },
		{ "return", no_argument, NULL, OPTION_RETURN },
		{ "rate", no_argument, NULL, OPTION_RATE },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ "comm", required_argument, NULL, OPTION_COMM },
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	struct trace t = { .filter = { .vcpu = -1, .pid = -1 } };
	struct session session;
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT "q", options,
				     NULL)) >= 0)
		take_option(&t, &common, option);
	arguments_read(&t, argv + optind);

	status = session_open(&session, &common);
	if (status)
		return status;
	t.vm = session.vm;
	t.is_json = common.is_json;
	t.is_verbose = common.is_verbose;
	err = run_on(&t);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_trace = {
	.name = "trace",
	.arguments = "KIND [WHICH...] [KIND [WHICH...]]...",
	.summary = "Show what vCPUs do: system calls, writes of registers, breakpoints, stores",
	.help = "KIND is cr0, cr3, cr4, msr MSR..., xsetbv, descriptor, hypercall,\n"
		"syscall [NAME|NUMBER...], breakpoint PLACE..., page PLACE...;\n"
		"PLACE is an address, SYMBOL or SYMBOL+OFFSET of the guest's kernel.\n\n"
		"      --seconds S     how long; default until interrupted\n"
		"      --count N       end after so many events\n"
		"      --pid N         of this process or thread only\n"
		"      --comm NAME     of processes with this name only\n"
		"      --vcpu N        of this vCPU only\n"
		"      --return        system calls when they return, and what\n"
		"      --rate          tables of counts each second, no lines\n"
		"      --names         name processes and places for every kind\n"
		"      --no-symbols    without the kernel's symbols: syscall without processes\n"
		"      --deny          skip the instructions that store to a page\n"
		"  -q, --quiet         the summary only\n",
	.run = run,
};
