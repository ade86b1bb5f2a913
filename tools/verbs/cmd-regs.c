// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi regs: the registers of vCPUs. */
#include <errno.h>
#include <stdlib.h>

#include "kvmi.h"

enum { OPTION_VCPU = OPTION_OWN, OPTION_MSR };

struct wish {
	int vcpu;
	size_t count;
	uint32_t msrs[MSR_NAMES_MAX];
	const char *names[MSR_NAMES_MAX];	/* as they were asked for */
};

static void add_msr(struct wish *wish, const char *text)
{
	if (wish->count == MSR_NAMES_MAX)
		usage(&verb_regs, "there are more than %d MSRs", MSR_NAMES_MAX);
	wish->names[wish->count] = text;
	if (parse_msr(text, &wish->msrs[wish->count++]))
		usage(&verb_regs, "'%s' is no MSR as lstar or 0xc0000082", text);
}

static int ask_one(struct kvmi_vm *vm, const struct wish *wish,
		   struct registers *to)
{
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	err = kvmi_vcpu_get_registers(vm, to->vcpu, wish->msrs, wish->count,
				      &reply, to->msrs);
	/* Of all vCPUs some may wait for the guest to start them. */
	if (err == -EAGAIN && wish->vcpu < 0)
		return 0;
	if (err == -EAGAIN)
		complain(0, "the guest has not started vCPU %u", to->vcpu);
	else if (err)
		complain(err, "cannot read the registers of vCPU %u", to->vcpu);
	if (err)
		return err;
	to->is_started = true;
	to->mode = reply.mode;
	to->regs = reply.regs;
	to->sregs = reply.sregs;
	return 0;
}

static void show(const struct wish *wish, const struct registers *all,
		 size_t count, bool is_json)
{
	const struct msr_names names = { wish->names, wish->count };

	if (is_json)
		print_json(json_all_registers(all, count, &names));
	else
		print_registers(all, count, &names);
}

static int ask(struct kvmi_vm *vm, const struct wish *wish, bool is_json)
{
	unsigned int first, end = 0, i;
	struct registers *all;
	int err;

	err = vcpu_range(vm, wish->vcpu, &first, &end);
	if (err)
		return err;
	all = calloc(end - first, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (i = 0; i < end - first && !err; i++) {
		if (is_stopped) {
			err = -EINTR;
			break;
		}
		all[i].vcpu = first + i;
		err = ask_one(vm, wish, &all[i]);
	}
	if (!err)
		show(wish, all, end - first, is_json);
	free(all);
	return err;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "msr", required_argument, NULL, OPTION_MSR },
		{ 0 },
	};
	struct wish wish = { .vcpu = -1 };
	struct session session;
	struct common common;
	int option, status, err;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_VCPU)
			wish.vcpu = vcpu_option(&verb_regs, optarg);
		else if (option == OPTION_MSR)
			add_msr(&wish, optarg);
		else
			common_option(&common, &verb_regs, option);
	}
	if (optind != argc)
		usage(&verb_regs, "there are no arguments");

	status = session_open(&session, &common);
	if (status)
		return status;
	stop_by_signals();
	err = ask(session.vm, &wish, common.is_json);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_regs = {
	.name = "regs",
	.arguments = "",
	.summary = "Show the registers of vCPUs",
	.help = "      --vcpu N        of this vCPU only\n"
		"      --msr NAME|NUMBER  this MSR, too; may be repeated\n",
	.run = run,
};
