// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmi trace: what vCPUs do, event by event.
 *
 * A breakpoint is an INT3 in guest memory. Where the instruction below it is a
 * NOP or an ENDBR the tool steps over it by setting rip. Elsewhere the byte is
 * put back, the vCPU is sent to the instruction, and the INT3 returns when that
 * vCPU has reported that it is elsewhere; what passes meanwhile is not seen.
 * kvmi-trace(1) tells the limits.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"
#include "step.h"

#define INT3		0xcc
#define POINTS		16
#define CODE		16
#define PAGE		4096
#define POLL_MS		100
#define MAP_TRIES	50

enum { OPTION_SECONDS = OPTION_OWN, OPTION_COUNT };
enum what { CR0, CR3, CR4, HYPERCALL, BREAKPOINT, WHATS };

static const char *const names[WHATS] = {
	"cr0", "cr3", "cr4", "hypercall", "breakpoint",
};

struct point {
	uint64_t gva, gpa;
	uint8_t byte;		/* below the INT3 */
	size_t step;		/* bytes to skip, 0: run it in place */
	bool is_armed;
	int stepping;		/* vCPU that runs the byte, -1: none */
};

struct trace {
	struct kvmi_vm *vm;
	bool is_json, is_quiet;
	bool wanted[WHATS];
	uint64_t counts[WHATS], total, count_max;
	unsigned int vcpus;
	struct point points[POINTS];
	size_t point_count;
	double start, seconds;	/* of the monotonic clock; how long, 0: for ever */
	bool is_unhooking;
	struct kvmi_event *left;	/* on which the trace failed */
};

static volatile sig_atomic_t is_stopped;

static void stop(int number)
{
	(void)number;
	is_stopped = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Replaces one byte, but only if it is what is expected there. */
static int swap_byte(struct kvmi_vm *vm, uint64_t gpa, uint8_t from, uint8_t to)
{
	uint8_t byte;
	int err;

	err = kvmi_vm_read_physical(vm, gpa, &byte, 1);
	if (err)
		return err;
	if (byte != from)
		return -EBUSY;
	return kvmi_vm_write_physical(vm, gpa, &to, 1);
}

static int arm(struct trace *t, struct point *p)
{
	int err = swap_byte(t->vm, p->gpa, p->byte, INT3);

	if (err)
		complain(err, "no breakpoint at 0x%" PRIx64, p->gva);
	else
		p->is_armed = true;
	return err;
}

static int disarm(struct trace *t, struct point *p)
{
	int err;

	if (!p->is_armed)
		return 0;
	err = swap_byte(t->vm, p->gpa, INT3, p->byte);
	if (err)
		complain(err, "the INT3 at 0x%" PRIx64 " was not taken back",
			 p->gva);
	if (!err || err == -EBUSY)
		p->is_armed = false;
	return err;
}

/* Any vCPU may have it mapped; one in user mode may not. */
static int translate(struct trace *t, uint64_t gva, uint64_t *gpa)
{
	struct timespec ms = { 0, 10000000 };
	unsigned int i;
	int err;

	for (i = 0; i < MAP_TRIES * t->vcpus && !is_stopped; i++) {
		err = kvmi_vcpu_translate_gva(t->vm, i % t->vcpus, gva, gpa);
		if (err == -EAGAIN)
			continue;
		if (err || *gpa != UINT64_MAX)
			return err;
		if (i % t->vcpus == t->vcpus - 1)
			nanosleep(&ms, NULL);
	}
	return -ENOENT;
}

static int set_point(struct trace *t, struct point *p)
{
	uint8_t code[CODE];
	size_t size = CODE;
	int err;

	p->stepping = -1;
	err = translate(t, p->gva, &p->gpa);
	if (!err && PAGE - p->gpa % PAGE < size)
		size = PAGE - p->gpa % PAGE;
	if (!err)
		err = kvmi_vm_read_physical(t->vm, p->gpa, code, size);
	if (err) {
		complain(err, "no breakpoint at 0x%" PRIx64, p->gva);
		return err;
	}
	if (code[0] == INT3) {
		complain(0, "there is an INT3 at 0x%" PRIx64 " already", p->gva);
		return -EBUSY;
	}
	p->byte = code[0];
	p->step = step_size(code, size);
	return arm(t, p);
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
		err = set_point(t, &t->points[j]);
	/* To leave in time when the device manager wants that. */
	if (!err)
		kvmi_vm_control_events(t->vm, KVMI_VM_EVENT_UNHOOK, true);
	return err;
}

static void print_event(struct trace *t, enum what what,
			const struct kvmi_vcpu_event *state, const char *key1,
			uint64_t value1, const char *key2, uint64_t value2)
{
	double time = now() - t->start;
	struct json_object *o;

	t->counts[what]++;
	t->total++;
	if (t->is_quiet)
		return;
	if (!t->is_json) {
		printf("%12.6f %4u  %-10s %016llx  %s 0x%" PRIx64 "  %s 0x%" PRIx64 "\n",
		       time, state->vcpu, names[what], state->arch.regs.rip,
		       key1, value1, key2, value2);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "time", json_object_new_double(time));
	json_object_object_add(o, "vcpu", json_object_new_int(state->vcpu));
	json_object_object_add(o, "event", json_object_new_string(names[what]));
	json_object_object_add(o, "rip", json_gpa(state->arch.regs.rip));
	json_object_object_add(o, key1, json_gpa(value1));
	json_object_object_add(o, key2, json_gpa(value2));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static int on_cr(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event_cr *cr;
	size_t size;

	cr = kvmi_event_get_data(event, &size);
	print_event(t, cr->cr == 0 ? CR0 : cr->cr == 3 ? CR3 : CR4,
		    kvmi_event_get_state(event), "old", cr->old_value, "new",
		    cr->new_value);
	return kvmi_event_reply_cr(t->vm, event, cr->new_value);
}

static struct point *find_point(struct trace *t, uint64_t gpa)
{
	size_t i;

	for (i = 0; i < t->point_count; i++)
		if (t->points[i].gpa == gpa)
			return &t->points[i];
	return NULL;
}

/* Puts the byte back and asks the vCPU to report from where it is then. */
static int run_in_place(struct trace *t, struct point *p, unsigned int vcpu)
{
	int err = disarm(t, p);

	if (err && err != -EBUSY)
		return err;
	if (p->stepping < 0) {
		p->stepping = (int)vcpu;
		return kvmi_vm_pause_vcpu(t->vm, vcpu, false);
	}
	return 0;
}

static int on_breakpoint(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	const struct kvmi_vcpu_event_breakpoint *bp;
	struct kvm_regs regs = state->arch.regs;
	struct point *p;
	size_t size;
	int err = 0;

	bp = kvmi_event_get_data(event, &size);
	p = find_point(t, bp->gpa);
	if (!p)		/* the guest's own */
		return kvmi_event_reply(t->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);

	print_event(t, BREAKPOINT, state, "address", p->gva, "cr3",
		    state->arch.sregs.cr3);
	if (p->step && state->arch.mode == 8 && !(regs.rflags & 0x100)) {
		regs.rip += p->step;
		regs.rflags &= ~0x10000ULL;	/* RF */
		err = kvmi_vcpu_set_registers(t->vm, state->vcpu, &regs);
	} else {
		err = run_in_place(t, p, state->vcpu);
	}
	return err ? err : kvmi_event_reply(t->vm, event,
					    KVMI_EVENT_ACTION_RETRY, NULL, 0);
}

/* The vCPU that runs a byte in place: has it done so? */
static int on_pause(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);
	struct point *p;
	size_t i;
	int err = 0;

	for (i = 0; i < t->point_count && !err; i++) {
		p = &t->points[i];
		if (p->stepping != state->vcpu)
			continue;
		if (state->arch.regs.rip == p->gva) {
			err = kvmi_vm_pause_vcpu(t->vm, state->vcpu, false);
		} else {
			p->stepping = -1;
			err = arm(t, p);
		}
	}
	return err ? err : kvmi_event_reply(t->vm, event,
					    KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
}

static int on_event(struct trace *t, struct kvmi_event *event)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(event);

	switch (kvmi_event_get_id(event)) {
	case KVMI_VM_EVENT_UNHOOK:
		t->is_unhooking = true;
		return 0;
	case KVMI_VCPU_EVENT_CR:
		return on_cr(t, event);
	case KVMI_VCPU_EVENT_BREAKPOINT:
		return on_breakpoint(t, event);
	case KVMI_VCPU_EVENT_PAUSE:
		return on_pause(t, event);
	case KVMI_VCPU_EVENT_HYPERCALL:
		print_event(t, HYPERCALL, state, "rsi", state->arch.regs.rsi,
			    "rdx", state->arch.regs.rdx);
		return kvmi_event_reply(t->vm, event,
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	default:
		return -EPROTO;
	}
}

static bool is_over(const struct trace *t)
{
	return is_stopped || t->is_unhooking ||
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
		if (find_point(t, bp->gpa))
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
		late = disarm(t, &t->points[j]);
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
		json_object_object_add(row, "count", json_object_new_int64((int64_t)t->counts[i]));
		json_object_object_add(row, "per_second", json_object_new_double((double)t->counts[i] / seconds));
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
