// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi top: what a VM is busy with, once a second. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "linux.h"
#include "top.h"

#define CLEAR		"\033[H\033[J"
#define ROWS		20
#define RATE_MAX	1000

enum {
	OPTION_INTERVAL = OPTION_OWN, OPTION_COUNT, OPTION_SAMPLES,
	OPTION_ROWS, OPTION_NO_SYMBOLS,
};

struct view {
	struct top top;
	struct kvmi_vm *vm;
	struct linux_guest *guest;	/* NULL: without symbols */
	unsigned int vcpus;
	double interval, start;		/* s */
	uint64_t count, done;		/* intervals; 0: until it is stopped */
	uint64_t rate;			/* samples a second */
	bool is_json, is_screen, is_left, is_unhooking, wants_no_symbols;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool is_over(const struct view *v)
{
	return is_stopped || v->is_left || v->is_unhooking || ferror(stdout) ||
	       (v->count && v->done >= v->count);
}

/* A key pressed at the terminal ends it, if it is q. */
static void look_for_key(struct view *v)
{
	struct pollfd pfd = { STDIN_FILENO, POLLIN, 0 };
	char key;

	if (v->is_screen && poll(&pfd, 1, 0) > 0 &&
	    read(STDIN_FILENO, &key, 1) == 1 && (key == 'q' || key == 'Q'))
		v->is_left = true;
}

/* Waits until @end, and whether the device manager wants us to leave. */
static int wait_until(struct view *v, double end)
{
	struct kvmi_event *event;
	double left = end - now();
	int err;

	err = kvmi_vm_next_event(v->vm, left > 0 ? (int)(left * 1000) : 0,
				 &event);
	if (err == -ETIMEDOUT || err == -EAGAIN)
		return 0;
	if (err)
		return err;
	if (kvmi_event_get_id(event) == KVMI_VM_EVENT_UNHOOK)
		v->is_unhooking = true;
	kvmi_event_free(event);
	return 0;
}

static int sample(struct view *v, double end)
{
	const double gap = 1.0 / (double)v->rate;
	double next = now();
	int err = 0;

	while (!err && !is_over(v) && next < end) {
		err = samples_take(&v->top.samples, v->vm, v->guest, v->vcpus);
		look_for_key(v);
		next += gap;
		if (next < now())	/* it takes longer than that */
			next = now();
		if (!err)
			err = wait_until(v, next < end ? next : end);
	}
	return err;
}

static void show(struct view *v)
{
	if (v->is_json) {
		top_print_json(&v->top);
	} else {
		if (v->is_screen)
			fputs(CLEAR, stdout);
		top_print(&v->top);
	}
	fflush(stdout);
}

static int watch(struct view *v)
{
	double begin, end;
	int err = 0;

	v->start = end = now();
	if (v->top.has_host)
		host_read(&v->top.host);
	while (!err && !is_over(v)) {
		begin = end;
		samples_clear(&v->top.samples);
		err = sample(v, begin + v->interval);
		end = now();
		v->top.seconds = end > begin ? end - begin : 1;
		v->top.time = end - v->start;
		if (v->top.has_host)
			host_read(&v->top.host);
		if (!err && !v->is_left && !v->is_unhooking && !is_stopped)
			show(v);
		v->done++;
	}
	if (err)
		complain(err, "the session ends early");
	return err;
}

/* Keys come without Enter, and are not shown. */
static bool take_keys(struct termios *before)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before))
		return false;
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	return !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static int watch_screen(struct view *v)
{
	struct termios before;
	bool has_keys;
	int err;

	v->is_screen = !v->is_json && isatty(STDOUT_FILENO) &&
		       isatty(STDIN_FILENO);
	has_keys = v->is_screen && take_keys(&before);
	err = watch(v);
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return err;
}

/* What is not to be had is left out. */
static void open_sources(struct view *v)
{
	int err = host_open(&v->top.host, v->vm, v->vcpus);

	v->top.has_host = !err;
	if (err)
		complain(0, "no counters of KVM: they need root on the host of this VM, debugfs in /sys/kernel/debug");
	else if (v->vcpus && v->top.host.vcpus[0].stats.fd < 0)
		complain(0, "no counters of exits: they need root, and a QEMU that has KVM's statistics open");
	if (v->wants_no_symbols)
		return;
	err = guest_find_linux(&v->guest, v->vm);
	if (err)
		complain(err, "no processes: the symbols of the guest's kernel cannot be read");
}

static int run_on(struct view *v)
{
	unsigned int first;
	int err = vcpu_range(v->vm, -1, &first, &v->vcpus);

	if (err)
		return err;
	stop_by_signals();
	open_sources(v);
	/* To leave in time when the device manager wants that. */
	kvmi_vm_control_events(v->vm, KVMI_VM_EVENT_UNHOOK, true);
	err = watch_screen(v);
	if (v->is_unhooking)
		complain(0, "the device manager asked to leave, as before a pause or a migration");
	linux_close(v->guest);
	host_close(&v->top.host);
	samples_free(&v->top.samples);
	return err;
}

static uint64_t number(const char *text, uint64_t max)
{
	uint64_t value;

	if (parse_number(text, &value) || value > max)
		usage(&verb_top, "'%s' is no number, or too high", text);
	return value;
}

static double read_interval(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0.1) || value > 86400)
		usage(&verb_top, "'%s' is no interval in seconds, 0.1 or more",
		      text);
	return value;
}

static void take_option(struct view *v, struct common *common, int option)
{
	switch (option) {
	case OPTION_INTERVAL:
		v->interval = read_interval(optarg);
		break;
	case OPTION_COUNT:
		v->count = number(optarg, INT_MAX);
		break;
	case OPTION_SAMPLES:
		v->rate = number(optarg, RATE_MAX);
		if (!v->rate)
			usage(&verb_top, "there is nothing to see without samples");
		break;
	case OPTION_ROWS:
		v->top.rows = (unsigned int)number(optarg, INT_MAX);
		break;
	case OPTION_NO_SYMBOLS:
		v->wants_no_symbols = true;
		break;
	default:
		common_option(common, &verb_top, option);
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "interval", required_argument, NULL, OPTION_INTERVAL },
		{ "count", required_argument, NULL, OPTION_COUNT },
		{ "samples", required_argument, NULL, OPTION_SAMPLES },
		{ "rows", required_argument, NULL, OPTION_ROWS },
		{ "no-symbols", no_argument, NULL, OPTION_NO_SYMBOLS },
		{ 0 },
	};
	struct view v = { .interval = 1, .rate = 20, .top.rows = ROWS };
	struct kvmi_identity id = { .size = sizeof(id) };
	char name[KVMI_NAME_SIZE];
	struct session session;
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		take_option(&v, &common, option);
	if (argv[optind])
		usage(&verb_top, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	v.vm = session.vm;
	v.is_json = common.is_json;
	kvmi_vm_get_identity(v.vm, &id);
	v.top.name = printable(name, sizeof(name), id.name, strlen(id.name));
	err = run_on(&v);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_top = {
	.name = "top",
	.arguments = "",
	.summary = "Show what a VM is busy with: exits, processes, where they are",
	.help = "      --interval S    how often, in seconds; default 1\n"
		"      --count N       end after so many times\n"
		"      --samples N     how often a second vCPUs are looked at; default 20\n"
		"      --rows N        processes to show, 0 for all; default 20\n"
		"      --no-symbols    without processes, at once\n",
	.run = run,
};
