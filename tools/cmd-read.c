// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi read: guest memory to a terminal, a file or a pipe. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "kvmi.h"

#define CHUNK (1 << 20)

enum {
	OPTION_HEX = OPTION_OWN,
	OPTION_RAW,
};

enum form { FORM_AUTO, FORM_HEX, FORM_RAW, FORM_JSON };

struct output {
	enum form form;
	FILE *file;		/* of FORM_RAW */
	struct json_object *json;
};

static int put_chunk(struct output *out, uint64_t gpa, const uint8_t *data,
		     size_t size)
{
	struct json_object *piece;

	switch (out->form) {
	case FORM_HEX:
		print_hexdump(gpa, data, size);
		return 0;
	case FORM_JSON:
		piece = json_object_new_object();
		json_object_object_add(piece, "gpa", json_gpa(gpa));
		json_object_object_add(piece, "data", json_hex(data, size));
		json_object_array_add(out->json, piece);
		return 0;
	default:
		if (fwrite(data, 1, size, out->file) == size)
			return 0;
		return -errno;
	}
}

static int read_range(struct kvmi_vm *vm, struct output *out, uint64_t gpa,
		      uint64_t size)
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
		err = kvmi_vm_read_physical(vm, gpa, data, n);
		if (err) {
			complain(err, "cannot read %zu bytes at 0x%" PRIx64, n,
				 gpa);
			break;
		}
		err = put_chunk(out, gpa, data, n);
		if (err)
			complain(err, "cannot write the output");
		gpa += n;
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

static int read_ranges(struct kvmi_vm *vm, struct output *out, char **args)
{
	int err = 0;

	for (; *args && !err; args += 2)
		err = read_range(vm, out, number_argument(args[0]),
				 number_argument(args[1]));
	return err;
}

static void check_arguments(char **args, int count)
{
	uint64_t gpa, size;
	int i;

	if (!count || count % 2)
		usage(&verb_read, "give an address and a length");
	for (i = 0; i < count; i += 2) {
		gpa = number_argument(args[i]);
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

static int act(const struct common *common, struct output *out, char **args)
{
	struct session session;
	int status, err;

	status = session_open(&session, common);
	if (status)
		return status;
	err = read_ranges(session.vm, out, args);
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
		{ 0 },
	};
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
		else
			common_option(&common, &verb_read, option);
	}
	check_arguments(argv + optind, argc - optind);
	if (common.is_json)
		out.form = FORM_JSON;

	status = open_output(&out, path);
	if (status)
		return status;
	status = act(&common, &out, argv + optind);
	return close_output(&out, status) ? (status ? status : EXIT_FAILED) :
					    EXIT_DONE;
}

const struct verb verb_read = {
	.name = "read",
	.arguments = "GPA LENGTH [GPA LENGTH]...",
	.summary = "Read guest memory at physical addresses",
	.help = "  -o, --output FILE   write the bytes to a file\n"
		"      --hex           write a dump; default on a terminal\n"
		"      --raw           write the bytes; default elsewhere\n",
	.run = run,
};
