// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi regs: the registers of vCPUs. */
#include <inttypes.h>
#include <stdlib.h>

#include "kvmi.h"

enum { OPTION_VCPU = OPTION_OWN, OPTION_MSR };

#define MSRS 64

struct wish {
	int vcpu;
	size_t count;
	uint32_t msrs[MSRS];
	const char *names[MSRS];	/* as they were asked for */
};

static void add_msr(struct wish *wish, const char *text)
{
	if (wish->count == MSRS)
		usage(&verb_regs, "there are more than %d MSRs", MSRS);
	wish->names[wish->count] = text;
	if (parse_msr(text, &wish->msrs[wish->count++]))
		usage(&verb_regs, "'%s' is no MSR as lstar or 0xc0000082", text);
}

static void show(const struct wish *wish, unsigned int vcpu,
		 const struct kvmi_vcpu_get_registers_reply *reply,
		 const uint64_t *values, struct json_object *json)
{
	struct json_object *o, *msrs;
	size_t i;

	if (!json) {
		print_registers(vcpu, reply->mode, &reply->regs, &reply->sregs);
		for (i = 0; i < wish->count; i++)
			printf("%-14s %016" PRIx64 "\n", wish->names[i],
			       values[i]);
		return;
	}
	o = json_registers(vcpu, reply->mode, &reply->regs, &reply->sregs);
	msrs = json_object_new_object();
	for (i = 0; i < wish->count; i++)
		json_object_object_add(msrs, wish->names[i],
				       json_gpa(values[i]));
	json_object_object_add(o, "msrs", msrs);
	json_object_array_add(json, o);
}

static int ask(struct kvmi_vm *vm, const struct wish *wish,
	       struct json_object *json)
{
	struct kvmi_vcpu_get_registers_reply reply;
	unsigned int vcpu, end = 0;
	uint64_t values[MSRS];
	int err;

	err = vcpu_range(vm, wish->vcpu, &vcpu, &end);
	for (; !err && vcpu < end; vcpu++) {
		err = kvmi_vcpu_get_registers(vm, vcpu, wish->msrs, wish->count,
					      &reply, values);
		if (err)
			complain(err, "cannot read the registers of vCPU %u",
				 vcpu);
		else
			show(wish, vcpu, &reply, values, json);
	}
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
	struct json_object *json = NULL;
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
	if (common.is_json)
		json = json_object_new_array();
	err = ask(session.vm, &wish, json);
	if (json && !err)
		print_json(json);
	else
		json_object_put(json);
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
