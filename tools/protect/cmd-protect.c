// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi protect: nobody changes the guest's kernel but the kernel itself. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "linux.h"
#include "protect.h"

#define POLL_MS		100
#define LOOK_S		0.5	/* for vCPUs that were started */
#define BOOT_MS		200
#define SYSTEM_RUNNING	3	/* of system_state: constants are constant */

enum { OPTION_MODE = OPTION_OWN, OPTION_SECONDS, OPTION_GDT };

double protect_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int control(struct protect *p, unsigned int vcpu, bool enable)
{
	int err;

	err = kvmi_vcpu_control_events(p->vm, vcpu, KVMI_VCPU_EVENT_PF, enable);
	return err ? err : pin_control(p, vcpu, enable);
}

/* A vCPU that has not been started does nothing that counts, until it is. */
static int arm(struct protect *p)
{
	struct kvmi_vm_get_info_reply info;
	unsigned int i;
	int err;

	err = kvmi_vm_get_info(p->vm, &info);
	if (!err)
		p->vcpus = info.vcpu_count;
	if (p->vcpus > VCPUS_MAX)
		err = -E2BIG;
	for (i = 0; i < p->vcpus && !err; i++) {
		if (p->is_armed[i])
			continue;
		err = control(p, i, true);
		p->is_armed[i] = !err;
		if (err == -EAGAIN)
			err = 0;
	}
	if (err)
		complain(err, "cannot switch on the events of the vCPUs");
	return err;
}

static bool is_over(const struct protect *p)
{
	return is_stopped || p->is_unhooking || ferror(stdout) ||
	       (p->seconds > 0 && protect_now() - p->start >= p->seconds);
}

static int watch(struct protect *p)
{
	double look = protect_now();
	int err = 0;

	while (!err && !is_over(p)) {
		err = guard_next(p, POLL_MS);
		if (err == -ETIMEDOUT)
			err = 0;
		if (err || protect_now() - look < LOOK_S)
			continue;
		look = protect_now();
		err = arm(p);
		if (!err)
			err = gdt_lock(p);
	}
	return err;
}

/*
 * Pages first: what a vCPU tries against them would be an event. Once the last
 * switch is answered, no event can come that is not here yet.
 */
static int lift(struct protect *p)
{
	int err = lock_clear(p);
	unsigned int i;

	for (i = 0; i < p->vcpus; i++)
		if (p->is_armed[i])
			control(p, i, false);
	kvmi_vm_control_events(p->vm, KVMI_VM_EVENT_UNHOOK, false);
	while (!guard_next(p, 0))
		;
	return err;
}

/* Before that the kernel changes what it has not made constant yet. */
static int wait_for_boot(struct protect *p)
{
	const struct timespec pause = { 0, BOOT_MS * 1000000L };
	uint32_t state = 0;
	uint64_t gva;
	int err = linux_symbol(p->guest, "system_state", &gva);
	bool is_told = false;

	while (!err && !is_stopped) {
		err = linux_read(p->guest, gva, &state, sizeof(state));
		if (err || state >= SYSTEM_RUNNING)
			break;
		if (!is_told)
			fputs("kvmi: the guest boots; waiting until its kernel is in place\n",
			      stderr);
		is_told = true;
		nanosleep(&pause, NULL);
	}
	if (err)
		complain(err, "cannot tell whether the guest has booted");
	return err;
}

static int prepare(struct protect *p)
{
	unsigned int first;
	int err;

	err = vcpu_range(p->vm, -1, &first, &p->vcpus);
	if (!err)
		err = guest_find_linux(&p->guest, p->vm);
	if (err) {
		complain(err, "cannot find a Linux kernel in the guest");
		return err;
	}
	p->has_tables = !kvmi_vm_check_event(p->vm, KVMI_VCPU_EVENT_DESCRIPTOR);
	err = wait_for_boot(p);
	if (!err)
		err = lock_find(p);
	if (!err)
		err = own_init(p);
	return err ? err : pin_learn(p);
}

static void tell_end(struct protect *p, int err)
{
	if (p->is_unhooking)
		fputs("kvmi: QEMU asks to leave, as for a migration or the guest's end\n",
		      stderr);
	else if (err == -ECONNRESET)
		complain(0, "the guest ended or was reset; nothing is protected any more");
	else if (err)
		complain(err, "nothing is protected any more");
}

static int protect(struct protect *p)
{
	int err, late;

	stop_by_signals();
	err = prepare(p);
	if (err || is_stopped)
		return err;
	p->start = protect_now();
	kvmi_vm_control_events(p->vm, KVMI_VM_EVENT_UNHOOK, true);
	err = arm(p);
	if (!err)
		err = lock_set(p);
	if (!err)
		err = gdt_lock(p);
	if (!err)
		fprintf(stderr, "kvmi: %zu pages are locked, %u vCPUs are watched, mode %s\n",
			p->pages, p->vcpus, mode_names[p->mode]);
	if (!err)
		err = watch(p);
	late = lift(p);
	tell_end(p, err);
	attempt_sum(p);
	/* With the session all is gone anyway. */
	if (p->is_unhooking && (err == -ECONNRESET || late == -ECONNRESET))
		return 0;
	return err ? err : late;
}

static enum mode read_mode(const char *text)
{
	enum mode mode;

	for (mode = 0; mode < MODES; mode++)
		if (!strcmp(text, mode_names[mode]))
			return mode;
	usage(&verb_protect, "'%s' is none of report, deny and crash", text);
}

static double read_seconds(const char *text)
{
	uint64_t value;

	if (parse_number(text, &value) || value > INT32_MAX)
		usage(&verb_protect, "'%s' is no time in seconds", text);
	return (double)value;
}

static void take_option(struct protect *p, struct common *common, int option)
{
	if (option == OPTION_MODE)
		p->mode = read_mode(optarg);
	else if (option == OPTION_SECONDS)
		p->seconds = read_seconds(optarg);
	else if (option == OPTION_GDT)
		p->has_gdt = true;
	else if (option == 'q')
		p->is_quiet = true;
	else
		common_option(common, &verb_protect, option);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "mode", required_argument, NULL, OPTION_MODE },
		{ "seconds", required_argument, NULL, OPTION_SECONDS },
		{ "gdt", no_argument, NULL, OPTION_GDT },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	static struct protect p;
	struct session session;
	struct common common;
	int option, status, err;

	p = (struct protect){ 0 };
	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT "q", options,
				     NULL)) >= 0)
		take_option(&p, &common, option);
	if (optind != argc)
		usage(&verb_protect, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	p.vm = session.vm;
	p.is_json = common.is_json;
	p.is_verbose = common.is_verbose;
	err = protect(&p);
	own_exit(&p);
	linux_close(p.guest);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_protect = {
	.name = "protect",
	.arguments = "",
	.summary = "Let nobody change the guest's kernel but the kernel itself",
	.help = "      --mode report|deny|crash\n"
		"                      what comes of an attempt: it happens all the same, it\n"
		"                      does not, or the guest ends; default report\n"
		"      --seconds S     how long; default until interrupted\n"
		"      --gdt           lock the GDTs, too, which costs each switch of\n"
		"                      processes three events\n"
		"  -q, --quiet         the summary only\n",
	.run = run,
};
