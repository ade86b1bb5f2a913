// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi translate: guest virtual to guest physical addresses. */
#include <inttypes.h>
#include <stdlib.h>

#include "kvmi.h"

enum { OPTION_VCPU = OPTION_OWN };

static uint64_t address(const char *text)
{
	uint64_t gva;

	if (parse_number(text, &gva))
		usage(&verb_translate, "'%s' is no address", text);
	return gva;
}

static void show(uint64_t gva, uint64_t gpa, struct json_object *json)
{
	struct json_object *o;

	if (!json && gpa == UINT64_MAX) {
		printf("0x%016" PRIx64 "  not mapped\n", gva);
	} else if (!json) {
		printf("0x%016" PRIx64 "  0x%" PRIx64 "\n", gva, gpa);
	} else {
		o = json_object_new_object();
		json_object_object_add(o, "gva", json_gpa(gva));
		json_object_object_add(o, "gpa", gpa == UINT64_MAX ? NULL :
				       json_gpa(gpa));
		json_object_array_add(json, o);
	}
}

/* Returns an exit status. */
static int translate(struct kvmi_vm *vm, unsigned int vcpu, char **args,
		     struct json_object *json)
{
	int status = EXIT_DONE;
	uint64_t gpa;
	int err;

	for (; *args; args++) {
		err = kvmi_vcpu_translate_gva(vm, vcpu, address(*args), &gpa);
		if (err) {
			complain(err, "cannot ask vCPU %u", vcpu);
			return EXIT_FAILED;
		}
		show(address(*args), gpa, json);
		if (gpa == UINT64_MAX)
			status = EXIT_FAILED;
	}
	return status;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ 0 },
	};
	struct json_object *json = NULL;
	struct session session;
	struct common common;
	int option, status, i, vcpu = 0;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_VCPU)
			vcpu = vcpu_option(&verb_translate, optarg);
		else
			common_option(&common, &verb_translate, option);
	}
	if (optind == argc)
		usage(&verb_translate, "give an address");
	for (i = optind; i < argc; i++)
		address(argv[i]);

	status = session_open(&session, &common);
	if (status)
		return status;
	if (common.is_json)
		json = json_object_new_array();
	status = translate(session.vm, (unsigned int)vcpu, argv + optind, json);
	if (json)
		print_json(json);
	session_close(&session);
	return status;
}

const struct verb verb_translate = {
	.name = "translate",
	.arguments = "GVA...",
	.summary = "Translate guest virtual addresses",
	.help = "      --vcpu N        with the page tables of this vCPU; default 0\n",
	.run = run,
};
