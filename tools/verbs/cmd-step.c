// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi step: what a vCPU executes, instruction by instruction. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "kvmi.h"

#define COUNT_DEFAULT	10
#define EVENT_TIMEOUT	5	/* s */
#define POLL_MS		100
#define TEXT_SIZE	128

enum { OPTION_VCPU = OPTION_OWN, OPTION_INTEL };

struct walk {
	struct kvmi_vm *vm;
	unsigned int vcpu;
	uint64_t count, done;
	bool is_json, is_intel;
	bool is_stepping;	/* switched on */
	bool is_unhooking;
	struct kvmi_event *here; /* with which the vCPU waits, NULL: it runs */
};

/* An instruction before it is executed. */
struct line {
	uint64_t rip;
	uint8_t code[KVMI_INSTRUCTION_MAX];
	int size;		/* or an error */
	char text[TEXT_SIZE];
};

static int check_host(struct kvmi_vm *vm)
{
	struct kvmi_get_version_reply version;
	int err = kvmi_get_version(vm, &version);

	if (err) {
		complain(err, "cannot ask what the host can do");
	} else if (!version.features.singlestep) {
		complain(0, "this host cannot single-step a guest: its processor shows no monitor\n"
			 "kvmi: trap flag; stop at an address with 'kvmi trace breakpoint GVA'");
		err = -EOPNOTSUPP;
	}
	return err;
}

static bool is_over(const struct walk *w)
{
	return is_stopped || w->is_unhooking;
}

/* Waits until the vCPU reports this event. Leaves none if it is over. */
static int wait_for(struct walk *w, unsigned int id)
{
	unsigned int i, tries = EVENT_TIMEOUT * 1000 / POLL_MS;
	struct kvmi_event *event;
	int err = -ETIMEDOUT;

	for (i = 0; i < tries && !is_over(w); i++) {
		err = kvmi_vm_next_event(w->vm, POLL_MS, &event);
		if (err == -ETIMEDOUT)
			continue;
		if (err)
			return err;
		w->here = event;
		if (kvmi_event_get_id(event) == id)
			return 0;
		w->is_unhooking = kvmi_event_get_id(event) ==
				  KVMI_VM_EVENT_UNHOOK;
		return w->is_unhooking ? 0 : -EPROTO;
	}
	return is_over(w) ? 0 : err;
}

static int let_go(struct walk *w)
{
	int err = 0;

	if (w->here && kvmi_event_get_state(w->here))
		err = kvmi_event_reply(w->vm, w->here,
				       KVMI_EVENT_ACTION_CONTINUE, NULL, 0);
	kvmi_event_free(w->here);
	w->here = NULL;
	return err;
}

/* The first step begins where the vCPU is known to wait. */
static int start(struct walk *w)
{
	int err = kvmi_vm_pause_vcpu(w->vm, w->vcpu, true);

	if (!err)
		err = wait_for(w, KVMI_VCPU_EVENT_PAUSE);
	if (err == -ETIMEDOUT)
		complain(0, "vCPU %u did not stop in %d s: " VCPU_IS_OUTSIDE,
			 w->vcpu, EVENT_TIMEOUT);
	else if (err)
		complain(err, "cannot pause vCPU %u", w->vcpu);
	if (err)
		return err;
	if (is_over(w))
		return 0;
	err = kvmi_vcpu_control_singlestep(w->vm, w->vcpu, true);
	if (err == -EBUSY)
		complain(0, "a debugger of the device manager steps vCPU %u; end it first",
			 w->vcpu);
	else if (err)
		complain(err, "cannot single-step vCPU %u", w->vcpu);
	w->is_stepping = !err;
	return err;
}

static void read_line(const struct walk *w, struct line *line)
{
	const struct kvmi_vcpu_event *state = kvmi_event_get_state(w->here);

	line->rip = state->arch.regs.rip;
	line->size = kvmi_event_read_instruction(w->vm, w->here, line->code);
	snprintf(line->text, sizeof(line->text), "?");
	if (line->size > 0)
		disassemble(state, line->code, (size_t)line->size, w->is_intel,
			    line->text, sizeof(line->text));
}

static void print_object(const struct walk *w, const struct line *line,
			 bool failed)
{
	struct json_object *o = json_object_new_object();
	bool is_read = line->size > 0;

	json_object_object_add(o, "step",
			       json_object_new_int64((int64_t)w->done));
	json_object_object_add(o, "vcpu", json_object_new_int((int)w->vcpu));
	json_object_object_add(o, "rip", json_gpa(line->rip));
	json_object_object_add(o, "bytes", is_read ?
			       json_hex(line->code, (size_t)line->size) : NULL);
	json_object_object_add(o, "instruction", is_read ?
			       json_object_new_string(line->text) : NULL);
	json_object_object_add(o, "failed", json_object_new_boolean(failed));
	json_object_object_add(o, "next",
			       json_gpa(kvmi_event_get_state(w->here)->arch.regs.rip));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
}

static void print_row(const struct walk *w, const struct line *line, bool failed)
{
	char bytes[3 * KVMI_INSTRUCTION_MAX + 1] = "?";
	int i;

	for (i = 0; i < line->size; i++)
		snprintf(bytes + 3 * i, 4, "%02x ", line->code[i]);
	if (w->done == 1)
		printf("%6s  %-16s  %-24s  %s\n", "step", "rip", "bytes",
		       "instruction");
	printf("%6" PRIu64 "  %016" PRIx64 "  %-24s  %s%s\n", w->done,
	       line->rip, bytes, line->text,
	       failed ? "  (failed: not executed)" : "");
}

/* One reply, one step. */
static int step(struct walk *w)
{
	const struct kvmi_vcpu_event_singlestep *data;
	struct line line;
	size_t size;
	int err;

	read_line(w, &line);
	err = let_go(w);
	if (!err)
		err = wait_for(w, KVMI_VCPU_EVENT_SINGLESTEP);
	if (err == -ETIMEDOUT)
		complain(0, "vCPU %u has made no step in %d s: it is halted, or held up outside\n"
			 "kvmi: the guest; try again when the guest is busy, or another --vcpu",
			 w->vcpu, EVENT_TIMEOUT);
	else if (err)
		complain(err, "the steps end early");
	if (err || !w->here || w->is_unhooking)
		return err;

	data = kvmi_event_get_data(w->here, &size);
	w->done++;
	if (w->is_json)
		print_object(w, &line, data->failed);
	else
		print_row(w, &line, data->failed);
	return 0;
}

/* Once this is answered no event can come that is not here yet. */
static int finish(struct walk *w)
{
	int err = 0;

	if (w->is_stepping)
		err = kvmi_vcpu_control_singlestep(w->vm, w->vcpu, false);
	if (err == -ECONNRESET)
		err = 0;
	if (err)
		complain(err, "vCPU %u is stepped until the session ends, now",
			 w->vcpu);
	do {
		let_go(w);
	} while (!kvmi_vm_next_event(w->vm, 0, &w->here));
	return err;
}

static int walk(struct walk *w)
{
	int err, late;

	err = check_host(w->vm);
	if (err)
		return err;
	stop_by_signals();
	/* To leave in time when the device manager wants that. */
	kvmi_vm_control_events(w->vm, KVMI_VM_EVENT_UNHOOK, true);
	err = start(w);
	while (!err && !is_over(w) && w->done < w->count)
		err = step(w);
	late = finish(w);
	return err ? err : late;
}

static uint64_t number(const char *text)
{
	uint64_t value;

	if (parse_number(text, &value) || !value || value > INT64_MAX)
		usage(&verb_step, "'%s' is no number of steps", text);
	return value;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "count", required_argument, NULL, 'n' },
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "intel", no_argument, NULL, OPTION_INTEL },
		{ 0 },
	};
	struct walk w = { .count = COUNT_DEFAULT };
	struct session session;
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT "n:", options,
				     NULL)) >= 0) {
		if (option == 'n')
			w.count = number(optarg);
		else if (option == OPTION_VCPU)
			w.vcpu = (unsigned int)vcpu_option(&verb_step, optarg);
		else if (option == OPTION_INTEL)
			w.is_intel = true;
		else
			common_option(&common, &verb_step, option);
	}
	if (optind != argc)
		usage(&verb_step, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	w.vm = session.vm;
	w.is_json = common.is_json;
	err = walk(&w);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_step = {
	.name = "step",
	.arguments = "",
	.summary = "Show what a vCPU executes, instruction by instruction",
	.help = "  -n, --count N       how many steps; default 10\n"
		"      --vcpu N        of this vCPU; default 0\n"
		"      --intel         Intel's syntax instead of AT&T's\n",
	.run = run,
};
