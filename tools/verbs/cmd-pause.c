// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi pause: stop vCPUs for a while and show where they are. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"

#define EVENT_TIMEOUT 5000	/* ms */
#define POLL_MS 100

enum { OPTION_VCPU = OPTION_OWN, OPTION_SECONDS };

struct pause {
	struct kvmi_event **events;	/* of those that have stopped */
	struct registers *registers;	/* as many */
	unsigned int count;
	bool is_json;
};

static void note(struct registers *to, const struct kvmi_vcpu_event *state)
{
	to->vcpu = state->vcpu;
	to->is_started = true;
	to->mode = state->arch.mode;
	to->regs = state->arch.regs;
	to->sregs = state->arch.sregs;
}

static int by_vcpu(const void *a, const void *b)
{
	const struct registers *x = a, *y = b;

	return (int)x->vcpu - (int)y->vcpu;
}

/* They stop in any order. */
static void show(struct pause *pause)
{
	const struct msr_names no_msrs = { 0 };

	qsort(pause->registers, pause->count, sizeof(*pause->registers),
	      by_vcpu);
	if (pause->is_json)
		print_json(json_all_registers(pause->registers, pause->count,
					      &no_msrs));
	else
		print_registers(pause->registers, pause->count, &no_msrs);
	fflush(stdout);
}

/* Nothing but pauses was asked for. */
static int take(struct kvmi_vm *vm, struct pause *pause)
{
	struct kvmi_event *event;
	int err, ms = 0;

	do {
		err = is_stopped ? -EINTR :
		      kvmi_vm_next_event(vm, POLL_MS, &event);
		ms += POLL_MS;
	} while (err == -ETIMEDOUT && ms < EVENT_TIMEOUT);
	if (err == -ETIMEDOUT)
		complain(0, "a vCPU did not stop in %d s: " VCPU_IS_OUTSIDE,
			 EVENT_TIMEOUT / 1000);
	else if (err && err != -EINTR)
		complain(err, "a vCPU did not stop");
	if (err)
		return err;
	if (kvmi_event_get_id(event) != KVMI_VCPU_EVENT_PAUSE) {
		kvmi_event_free(event);
		return -EPROTO;
	}
	note(&pause->registers[pause->count], kvmi_event_get_state(event));
	pause->events[pause->count++] = event;
	return 0;
}

static int stop(struct kvmi_vm *vm, struct pause *pause, unsigned int first,
		unsigned int end)
{
	unsigned int i, asked = 0;
	int err = 0;

	for (i = first; !err && i < end; i++) {
		err = kvmi_vm_pause_vcpu(vm, i, true);
		if (err)
			complain(err, "cannot pause vCPU %u", i);
		else
			asked++;
	}
	while (!err && pause->count < asked)
		err = take(vm, pause);
	return err;
}

static int resume(struct kvmi_vm *vm, struct pause *pause)
{
	int err = 0, late;

	while (pause->count) {
		late = kvmi_event_reply(vm, pause->events[--pause->count],
					KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
		if (late)
			err = late;
		kvmi_event_free(pause->events[pause->count]);
	}
	if (err)
		complain(err, "cannot let a vCPU go on");
	return err;
}

/* In pieces, for the signal that comes just before one. */
static void stay(unsigned int seconds)
{
	const struct timespec piece = { 0, POLL_MS * 1000000L };
	uint64_t left = seconds * 1000ull;

	for (; left && !is_stopped; left -= POLL_MS)
		nanosleep(&piece, NULL);
}

static int act(struct kvmi_vm *vm, int vcpu, unsigned int seconds,
	       struct pause *pause)
{
	unsigned int first, end;
	int err, late;

	err = vcpu_range(vm, vcpu, &first, &end);
	if (err)
		return err;
	pause->events = calloc(end - first, sizeof(*pause->events));
	pause->registers = calloc(end - first, sizeof(*pause->registers));
	err = pause->events && pause->registers ? 0 : -ENOMEM;
	if (!err)
		err = stop(vm, pause, first, end);
	if (!err || pause->count)
		show(pause);
	if (!err)
		stay(seconds);
	late = resume(vm, pause);
	free(pause->registers);
	free(pause->events);
	return err ? err : late;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ 0 },
	};
	struct pause pause = { 0 };
	struct session session;
	struct common common;
	int option, status, err, vcpu = -1;
	uint64_t seconds = 1;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_VCPU)
			vcpu = vcpu_option(&verb_pause, optarg);
		else if (option != OPTION_SECONDS)
			common_option(&common, &verb_pause, option);
		else if (parse_number(optarg, &seconds) || seconds > INT_MAX)
			usage(&verb_pause, "'%s' is no time in seconds", optarg);
	}
	if (optind != argc)
		usage(&verb_pause, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	pause.is_json = common.is_json;
	stop_by_signals();
	err = act(session.vm, vcpu, (unsigned int)seconds, &pause);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_pause = {
	.name = "pause",
	.arguments = "",
	.summary = "Stop vCPUs for a while and show their registers",
	.help = "      --vcpu N        this vCPU only\n"
		"      --seconds S     how long; default 1\n",
	.run = run,
};
