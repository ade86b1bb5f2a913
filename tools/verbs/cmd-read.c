// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi read: guest memory to a terminal, a file or a pipe. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvmi.h"
#include "view.h"

#define CHUNK (1 << 20)

enum {
	OPTION_HEX = OPTION_OWN,
	OPTION_RAW,
	OPTION_VIRTUAL,
	OPTION_PID,
};

enum form { FORM_AUTO, FORM_HEX, FORM_RAW, FORM_JSON };

struct output {
	enum form form;
	FILE *file;		/* of FORM_RAW */
	const char *address;	/* what JSON calls an address */
	struct json_object *json;
};

/* What the addresses are. */
struct source {
	struct kvmi_vm *vm;
	bool is_virtual;
	int pid;		/* -1: the kernel's */
	struct view view;	/* of virtual ones */
};

static int put_chunk(struct output *out, uint64_t gpa, const uint8_t *data,
		     size_t size)
{
	struct json_object *piece;

	switch (out->form) {
	/* No table: each line says where it is, and there is no end to wait for. */
	case FORM_HEX:
		print_hexdump(gpa, data, size);
		return 0;
	case FORM_JSON:
		piece = json_object_new_object();
		json_object_object_add(piece, out->address, json_gpa(gpa));
		json_object_object_add(piece, "data", json_hex(data, size));
		json_object_array_add(out->json, piece);
		return 0;
	default:
		if (fwrite(data, 1, size, out->file) == size)
			return 0;
		return -errno;
	}
}

static int read_chunk(struct source *source, uint64_t address, uint8_t *data,
		      size_t size)
{
	int err;

	if (source->is_virtual)
		err = view_read(&source->view, address, data, size);
	else
		err = kvmi_vm_read_physical(source->vm, address, data, size);
	if (err == -EFAULT)
		complain(0, "not all of %zu bytes at 0x%" PRIx64 " are mapped",
			 size, address);
	else if (err)
		complain(err, "cannot read %zu bytes at 0x%" PRIx64, size,
			 address);
	return err;
}

static int read_range(struct source *source, struct output *out,
		      uint64_t address, uint64_t size)
{
	uint8_t *data = malloc(CHUNK);
	int err = data ? 0 : -ENOMEM;
	size_t n;

	while (size && !err) {
		if (is_stopped) {
			err = -EINTR;
			break;
		}
		n = size < CHUNK ? size : CHUNK;
		err = read_chunk(source, address, data, n);
		if (err)
			break;
		err = put_chunk(out, address, data, n);
		if (err)
			complain(err, "cannot write the output");
		address += n;
		size -= n;
	}

	free(data);
	return err;
}

static uint64_t number_argument(const char *text)
{
	uint64_t number;

	if (parse_number(text, &number))
		usage(&verb_read, "'%s' is no number as 4096, 0x1000 or 4K",
		      text);
	return number;
}

static int read_ranges(struct source *source, struct output *out, char **args)
{
	uint64_t address;
	int err = 0;

	for (; *args && !err; args += 2) {
		if (source->is_virtual)
			err = view_parse(&source->view, args[0], &address);
		else
			address = number_argument(args[0]);
		if (!err)
			err = read_range(source, out, address,
					 number_argument(args[1]));
	}
	return err;
}

static void check_arguments(char **args, int count, bool is_virtual)
{
	uint64_t gpa, size;
	int i;

	if (!count || count % 2)
		usage(&verb_read, "give an address and a length");
	for (i = 0; i < count; i += 2) {
		gpa = is_virtual ? 0 : number_argument(args[i]);
		size = number_argument(args[i + 1]);
		if (size && gpa + (size - 1) < gpa)
			usage(&verb_read, "%s bytes at %s go beyond 64 bits",
			      args[i + 1], args[i]);
	}
}

static int open_output(struct output *out, const char *path)
{
	out->file = stdout;
	if (path) {
		out->form = FORM_RAW;
		out->file = fopen(path, "wbe");
	}
	if (!out->file) {
		complain(-errno, "cannot open %s", path);
		return EXIT_FAILED;
	}
	if (out->form == FORM_AUTO)
		out->form = isatty(STDOUT_FILENO) ? FORM_HEX : FORM_RAW;
	if (out->form == FORM_JSON)
		out->json = json_object_new_array();
	return EXIT_DONE;
}

static int close_output(struct output *out, int err)
{
	if (out->form == FORM_JSON && !err)
		print_json(out->json);
	else
		json_object_put(out->json);
	if (fflush(out->file) && !err) {
		err = -errno;
		complain(err, "cannot write the output");
	}
	if (out->file != stdout)
		fclose(out->file);
	return err;
}

static int act(const struct common *common, struct source *source,
	       struct output *out, char **args)
{
	struct session session;
	int status, err;

	status = session_open(&session, common);
	if (status)
		return status;
	stop_by_signals();
	source->vm = session.vm;
	err = source->is_virtual ?
		view_open(&source->view, session.vm, source->pid) : 0;
	if (!err)
		err = read_ranges(source, out, args);
	if (err == -EINTR)
		complain(0, "interrupted");
	if (source->is_virtual)
		view_close(&source->view);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "output", required_argument, NULL, 'o' },
		{ "hex", no_argument, NULL, OPTION_HEX },
		{ "raw", no_argument, NULL, OPTION_RAW },
		{ "virtual", no_argument, NULL, OPTION_VIRTUAL },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ 0 },
	};
	struct source source = { .pid = -1 };
	struct output out = { 0 };
	const char *path = NULL;
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT "o:", options,
				     NULL)) >= 0) {
		if (option == 'o')
			path = optarg;
		else if (option == OPTION_HEX)
			out.form = FORM_HEX;
		else if (option == OPTION_RAW)
			out.form = FORM_RAW;
		else if (option == OPTION_VIRTUAL)
			source.is_virtual = true;
		else if (option == OPTION_PID)
			source.pid = pid_option(&verb_read, optarg);
		else
			common_option(&common, &verb_read, option);
	}
	source.is_virtual |= source.pid >= 0;
	check_arguments(argv + optind, argc - optind, source.is_virtual);
	out.address = source.is_virtual ? "gva" : "gpa";
	if (common.is_json)
		out.form = FORM_JSON;

	status = open_output(&out, path);
	if (status)
		return status;
	status = act(&common, &source, &out, argv + optind);
	return close_output(&out, status) ? (status ? status : EXIT_FAILED) :
					    EXIT_DONE;
}

const struct verb verb_read = {
	.name = "read",
	.arguments = "GPA LENGTH [GPA LENGTH]...",
	.summary = "Read guest memory",
	.help = "  -o, --output FILE   write the bytes to a file\n"
		"      --hex           write a dump; default on a terminal\n"
		"      --raw           write the bytes; default elsewhere\n"
		"      --virtual       addresses and symbols of the guest's kernel\n"
		"      --pid N         addresses of this process of the guest\n",
	.run = run,
};
