// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi regs: the registers of vCPUs. */
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

#include "kvmi.h"

enum { OPTION_VCPU = OPTION_OWN, OPTION_MSR };

#define MSRS 64

struct wish {
	int vcpu;
	size_t count;
	uint32_t msrs[MSRS];
	const char *names[MSRS];	/* as they were asked for */
};

static const struct {
	const char *name;
	uint32_t index;
} known[] = {
	{ "tsc", 0x10 }, { "apic_base", 0x1b }, { "sysenter_cs", 0x174 },
	{ "sysenter_esp", 0x175 }, { "sysenter_eip", 0x176 },
	{ "misc_enable", 0x1a0 }, { "pat", 0x277 }, { "efer", 0xc0000080 },
	{ "star", 0xc0000081 }, { "lstar", 0xc0000082 },
	{ "cstar", 0xc0000083 }, { "sfmask", 0xc0000084 },
	{ "fs_base", 0xc0000100 }, { "gs_base", 0xc0000101 },
	{ "kernel_gs_base", 0xc0000102 }, { "tsc_aux", 0xc0000103 },
};

static uint32_t msr_index(const char *text)
{
	uint64_t number;
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcasecmp(known[i].name, text))
			return known[i].index;
	if (parse_number(text, &number) || number > UINT32_MAX)
		usage(&verb_regs, "'%s' is no MSR as lstar or 0xc0000082", text);
	return (uint32_t)number;
}

static void add_msr(struct wish *wish, const char *text)
{
	if (wish->count == MSRS)
		usage(&verb_regs, "there are more than %d MSRs", MSRS);
	wish->names[wish->count] = text;
	wish->msrs[wish->count++] = msr_index(text);
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
