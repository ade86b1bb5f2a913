// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi translate: guest virtual to guest physical addresses. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "kvmi.h"
#include "view.h"

#define SYMBOL	96

enum { OPTION_VCPU = OPTION_OWN, OPTION_PID };

/* Whose page tables, and what the addresses are called. */
struct request {
	int vcpu, pid;		/* -1: not given */
	bool has_names;
	char **args;
	struct json_object *json;	/* or */
	struct libscols_table *table;
};

static void add_object(struct json_object *array, uint64_t gva, uint64_t gpa,
		       const char *symbol)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "gva", json_gpa(gva));
	json_object_object_add(o, "gpa", gpa == UINT64_MAX ? NULL :
			       json_gpa(gpa));
	if (symbol)
		json_object_object_add(o, "symbol",
				       json_object_new_string(symbol));
	json_object_array_add(array, o);
}

static void add_line(struct libscols_table *table, uint64_t gva, uint64_t gpa,
		     const char *symbol)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	char text[24];

	snprintf(text, sizeof(text), "0x%016" PRIx64, gva);
	scols_line_set_data(line, 0, text);
	snprintf(text, sizeof(text), "0x%" PRIx64, gpa);
	scols_line_set_data(line, 1, gpa == UINT64_MAX ? "not mapped" : text);
	if (symbol)
		scols_line_set_data(line, 2, symbol);
}

static void begin_table(struct request *req, bool has_symbols)
{
	req->table = scols_new_table();
	scols_table_new_column(req->table, "GVA", 0, 0);
	scols_table_new_column(req->table, "GPA", 0, 0);
	if (has_symbols)
		scols_table_new_column(req->table, "SYMBOL", 0, 0);
}

static void print(struct request *req)
{
	if (req->json)
		print_json(req->json);
	else if (req->table && scols_table_get_nlines(req->table))
		scols_print_table(req->table);
	scols_unref_table(req->table);
}

static int look_up(struct view *view, struct request *req, const char *text)
{
	uint64_t gva, gpa;
	int err = view_parse(view, text, &gva);
	char symbol[SYMBOL];
	const char *known = NULL;

	if (err)
		return err;
	err = view_translate(view, gva, &gpa);
	if (err && err != -EFAULT) {
		complain(err, "cannot look up 0x%" PRIx64, gva);
		return err;
	}
	gpa = err ? UINT64_MAX : gpa;
	/* A process's own addresses have none. */
	if (view->guest && req->pid < 0)
		known = view_format(view, gva, symbol, sizeof(symbol));
	if (req->json)
		add_object(req->json, gva, gpa, known);
	else
		add_line(req->table, gva, gpa, known);
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
	if (!req->json)
		begin_table(req, view.guest && req->pid < 0);
	for (arg = req->args; *arg && (!err || err == -EFAULT); arg++) {
		if (is_stopped) {
			err = -EINTR;
			break;
		}
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
	stop_by_signals();
	if (common.is_json)
		req.json = json_object_new_array();
	status = translate(session.vm, &req);
	print(&req);
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
