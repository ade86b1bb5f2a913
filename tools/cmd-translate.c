// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi translate: guest virtual to guest physical addresses. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "kvmi.h"
#include "view.h"

enum { OPTION_VCPU = OPTION_OWN, OPTION_PID };

/* Whose page tables, and what the addresses are called. */
struct request {
	int vcpu, pid;		/* -1: not given */
	bool has_names;
	char **args;
	struct json_object *json;
};

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

static int look_up(struct view *view, struct request *req, const char *text)
{
	uint64_t gva, gpa;
	int err = view_parse(view, text, &gva);

	if (err)
		return err;
	err = view_translate(view, gva, &gpa);
	if (err && err != -EFAULT) {
		complain(err, "cannot look up 0x%" PRIx64, gva);
		return err;
	}
	show(gva, err ? UINT64_MAX : gpa, req->json);
	return err;
}

/* Symbols and the tables of the kernel or of a process take a Linux. */
static int open_view(struct view *view, struct kvmi_vm *vm,
		     const struct request *req)
{
	struct kvmi_vcpu_get_registers_reply reply;
	unsigned int vcpu = req->vcpu < 0 ? 0 : (unsigned int)req->vcpu;
	int err;

	*view = (struct view){ .vm = vm, .vcpu = vcpu };
	if (!req->has_names && req->pid < 0)
		return 0;
	err = view_open(view, vm, req->pid);
	if (err || req->vcpu < 0)
		return err;
	err = kvmi_vcpu_get_registers(vm, vcpu, NULL, 0, &reply, NULL);
	if (err)
		complain(err, "cannot ask vCPU %u", vcpu);
	view->root = reply.sregs.cr3;
	view->has_root = true;
	return err;
}

/* Returns an exit status. */
static int translate(struct kvmi_vm *vm, struct request *req)
{
	int err, status = EXIT_DONE;
	struct view view;
	char **arg;

	err = open_view(&view, vm, req);
	for (arg = req->args; *arg && (!err || err == -EFAULT); arg++) {
		err = look_up(&view, req, *arg);
		if (err)
			status = EXIT_FAILED;
	}
	view_close(&view);
	return err ? EXIT_FAILED : status;
}

static void check_names(struct request *req)
{
	uint64_t number;
	char **arg;

	for (arg = req->args; *arg; arg++) {
		if (!**arg)
			usage(&verb_translate, "an address is missing");
		if (parse_number(*arg, &number))
			req->has_names = true;
	}
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ 0 },
	};
	struct request req = { .vcpu = -1, .pid = -1 };
	struct session session;
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_VCPU)
			req.vcpu = vcpu_option(&verb_translate, optarg);
		else if (option == OPTION_PID)
			req.pid = pid_option(&verb_translate, optarg);
		else
			common_option(&common, &verb_translate, option);
	}
	if (optind == argc)
		usage(&verb_translate, "give an address");
	if (req.vcpu >= 0 && req.pid >= 0)
		usage(&verb_translate, "give --vcpu or --pid");
	req.args = argv + optind;
	check_names(&req);

	status = session_open(&session, &common);
	if (status)
		return status;
	if (common.is_json)
		req.json = json_object_new_array();
	status = translate(session.vm, &req);
	if (req.json)
		print_json(req.json);
	session_close(&session);
	return status;
}

const struct verb verb_translate = {
	.name = "translate",
	.arguments = "GVA|SYMBOL...",
	.summary = "Translate guest virtual addresses",
	.help = "      --vcpu N        with the page tables of this vCPU; default 0\n"
		"      --pid N         with those of this process of the guest\n",
	.run = run,
};
