// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi write: bytes into guest memory. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "kvmi.h"
#include "view.h"

#define FILE_MAX (1UL << 30)

enum {
	OPTION_STRING = OPTION_OWN,
	OPTION_FILE,
	OPTION_VIRTUAL,
	OPTION_PID,
};

struct request {
	const char *string;
	const char *file;
	const char *where;
	bool is_virtual;
	int pid;		/* -1: the kernel's addresses */
	uint64_t address;
	uint8_t *data;
	size_t size;
};

static int load(struct request *req, const char *hex)
{
	int err;

	if (req->string) {
		req->size = strlen(req->string);
		req->data = (uint8_t *)strdup(req->string);
		return req->data ? 0 : -ENOMEM;
	}
	if (req->file) {
		err = read_file(req->file, FILE_MAX, &req->data, &req->size);
		if (err)
			complain(err, "cannot read %s", req->file);
		return err;
	}
	err = parse_hex(hex, &req->data, &req->size);
	if (err)
		usage(&verb_write, "'%s' are no bytes as 0f1e2d", hex);
	return 0;
}

static void read_arguments(struct request *req, int count, char **args)
{
	int sources = !!req->string + !!req->file;

	if (sources > 1 || count != 2 - sources)
		usage(&verb_write, "give an address, and bytes or --string or --file");
	req->where = args[0];
	if (!req->is_virtual && parse_number(args[0], &req->address))
		usage(&verb_write, "'%s' is no address as 0x1000", args[0]);
}

static void print_result(const struct request *req, bool is_json)
{
	struct json_object *o;

	if (!is_json) {
		printf("wrote %zu bytes at 0x%" PRIx64 "\n", req->size,
		       req->address);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, req->is_virtual ? "gva" : "gpa",
			       json_gpa(req->address));
	json_object_object_add(o, "size", json_object_new_int64(req->size));
	print_json(o);
}

static int write_virtual(struct kvmi_vm *vm, struct request *req)
{
	struct view view;
	int err;

	err = view_open(&view, vm, req->pid);
	if (err)
		return err;
	err = view_parse(&view, req->where, &req->address);
	if (!err) {
		err = view_write(&view, req->address, req->data, req->size);
		if (err)
			complain(err == -EFAULT ? 0 : err,
				 "cannot write %zu bytes at 0x%" PRIx64 "%s",
				 req->size, req->address, err == -EFAULT ?
				 ": not all of it is mapped" : "");
	}
	view_close(&view);
	return err;
}

static int write_physical(struct kvmi_vm *vm, const struct request *req)
{
	int err;

	err = kvmi_vm_write_physical(vm, req->address, req->data, req->size);
	if (err)
		complain(err, "cannot write %zu bytes at 0x%" PRIx64, req->size,
			 req->address);
	return err;
}

static int act(const struct common *common, struct request *req)
{
	struct session session;
	int status, err;

	status = session_open(&session, common);
	if (status)
		return status;

	err = req->is_virtual ? write_virtual(session.vm, req) :
				write_physical(session.vm, req);
	if (!err)
		print_result(req, common->is_json);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "string", required_argument, NULL, OPTION_STRING },
		{ "file", required_argument, NULL, OPTION_FILE },
		{ "virtual", no_argument, NULL, OPTION_VIRTUAL },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ 0 },
	};
	struct request req = { .pid = -1 };
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_STRING)
			req.string = optarg;
		else if (option == OPTION_FILE)
			req.file = optarg;
		else if (option == OPTION_VIRTUAL)
			req.is_virtual = true;
		else if (option == OPTION_PID)
			req.pid = pid_option(&verb_write, optarg);
		else
			common_option(&common, &verb_write, option);
	}
	req.is_virtual |= req.pid >= 0;
	read_arguments(&req, argc - optind, argv + optind);
	if (load(&req, argv[optind + 1]))
		return EXIT_FAILED;

	status = act(&common, &req);
	free(req.data);
	return status;
}

const struct verb verb_write = {
	.name = "write",
	.arguments = "GPA [BYTES]",
	.summary = "Write guest memory",
	.help = "      BYTES           hexadecimal, as 90 or 0f1e2d or 0f:1e:2d\n"
		"      --string TEXT   write this text, without a NUL\n"
		"      --file FILE     write the bytes of a file\n"
		"      --virtual       the address is one of the guest's kernel, or a symbol\n"
		"      --pid N         the address is one of this process of the guest\n",
	.run = run,
};
