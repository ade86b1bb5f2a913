// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi disas: code in the guest's memory, with the names of its kernel. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <libsmartcols/libsmartcols.h>

#include "kvmi.h"
#include "view.h"

#define COUNT_DEFAULT	10
#define PAGE_SIZE	4096ul
#define NAME_SIZE	256
#define CODE_MODE	8	/* of a Linux kernel */

enum { OPTION_VCPU = OPTION_OWN, OPTION_PID, OPTION_INTEL };
enum { ADDRESS, SYMBOL, BYTES, INSTRUCTION };

struct disas {
	struct view view;
	const char *address;	/* NULL: where the vCPUs are */
	uint64_t count;		/* 0: the default */
	int vcpu, pid;		/* or -1 */
	bool is_intel;
	unsigned int mode;
	struct json_object *json;
	struct libscols_table *table;

	uint64_t page;		/* whose bytes are here; 1: none */
	uint8_t bytes[PAGE_SIZE];
};

struct line {
	uint64_t gva;
	uint8_t code[KVMI_INSTRUCTION_MAX];
	size_t size;		/* of the code that could be read */
	bool is_known;
	struct instruction instruction;
	char symbol[NAME_SIZE], target[NAME_SIZE];
};

static int load_page(struct disas *d, uint64_t page)
{
	int err;

	if (d->page == page)
		return 0;
	d->page = 1;
	err = view_read(&d->view, page, d->bytes, PAGE_SIZE);
	if (!err)
		d->page = page;
	return err;
}

/* As many bytes as are mapped; an error if it is none. */
static int read_code(struct disas *d, struct line *line)
{
	uint64_t gva;
	int err = 0;

	for (line->size = 0; line->size < sizeof(line->code); line->size++) {
		gva = line->gva + line->size;
		err = load_page(d, gva & ~(PAGE_SIZE - 1));
		if (err)
			break;
		line->code[line->size] = d->bytes[gva % PAGE_SIZE];
	}
	return line->size ? 0 : err;
}

/* What is no instruction is a byte. */
static int read_line(struct disas *d, uint64_t gva, struct line *line)
{
	struct instruction *in = &line->instruction;
	int err;

	*line = (struct line){ .gva = gva };
	err = read_code(d, line);
	if (err)
		return err;
	line->is_known = disassemble_at(d->mode, gva, line->code, line->size,
					d->is_intel, in);
	if (!line->is_known)
		*in = (struct instruction){ .size = 1, .text = "(bad)" };
	if (!d->view.guest)
		return 0;
	view_format(&d->view, gva, line->symbol, sizeof(line->symbol));
	if (in->has_target)
		view_format(&d->view, in->target, line->target,
			    sizeof(line->target));
	return 0;
}

/* A name, and not the number that there is without one. */
static bool is_name(const char *text)
{
	return *text && strncmp(text, "0x", 2);
}

static void add_row(struct disas *d, const struct line *line)
{
	struct libscols_line *row = scols_table_new_line(d->table, NULL);
	const struct instruction *in = &line->instruction;
	char bytes[3 * KVMI_INSTRUCTION_MAX + 1] = "", address[24];
	char text[INSTRUCTION_TEXT + NAME_SIZE + 4];
	size_t i;

	for (i = 0; i < in->size; i++)
		snprintf(bytes + 3 * i, 4, "%02x ", line->code[i]);
	snprintf(address, sizeof(address), "%" PRIx64, line->gva);
	snprintf(text, sizeof(text),
		 is_name(line->target) ? "%s <%s>" : "%s", in->text,
		 line->target);
	scols_line_set_data(row, ADDRESS, address);
	if (is_name(line->symbol))
		scols_line_set_data(row, SYMBOL, line->symbol);
	scols_line_set_data(row, BYTES, bytes);
	scols_line_set_data(row, INSTRUCTION, text);
}

static struct json_object *name_or_null(const char *text)
{
	return is_name(text) ? json_object_new_string(text) : NULL;
}

static struct json_object *line_object(const struct line *line)
{
	const struct instruction *in = &line->instruction;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "address", json_gpa(line->gva));
	json_object_object_add(o, "symbol", name_or_null(line->symbol));
	json_object_object_add(o, "bytes", json_hex(line->code, in->size));
	json_object_object_add(o, "instruction", !line->is_known ? NULL :
			       json_object_new_string(in->text));
	json_object_object_add(o, "target", !in->has_target ? NULL :
			       json_gpa(in->target));
	json_object_object_add(o, "target_symbol",
			       name_or_null(line->target));
	return o;
}

/* @count instructions, or those up to @end if that is not 0. */
static int list_code(struct disas *d, uint64_t gva, uint64_t end,
		     uint64_t count, struct json_object *rows)
{
	struct line line;
	int err;

	while (!is_stopped && (end ? gva < end : count-- > 0)) {
		err = read_line(d, gva, &line);
		if (err) {
			complain(err == -EFAULT ? 0 : err,
				 "there is no code at 0x%" PRIx64 " to be read: it is not mapped",
				 gva);
			return err;
		}
		if (rows)
			json_object_array_add(rows, line_object(&line));
		else
			add_row(d, &line);
		gva += line.instruction.size;
	}
	return 0;
}

static int begin_table(struct disas *d)
{
	static const char *const names[] = {
		"ADDRESS", "SYMBOL", "BYTES", "INSTRUCTION",
	};
	size_t i;

	d->table = scols_new_table();
	if (!d->table)
		return -ENOMEM;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (i != SYMBOL || d->view.guest)
			scols_table_new_column(d->table, names[i], 0, 0);
		else
			scols_table_new_column(d->table, names[i], 0,
					       SCOLS_FL_HIDDEN);
	return 0;
}

/* A listing with a table or an object of its own; @vcpu is -1 for an address. */
static int show(struct disas *d, int vcpu, uint64_t gva, uint64_t end,
		uint64_t count)
{
	struct json_object *rows = d->json ? json_object_new_array() : NULL, *o;
	int err = rows ? 0 : begin_table(d);

	if (!err)
		err = list_code(d, gva, end, count, rows);
	if (rows) {
		o = json_object_new_object();
		json_object_object_add(o, "vcpu", vcpu < 0 ? NULL :
				       json_object_new_int(vcpu));
		json_object_object_add(o, "code", rows);
		json_object_array_add(d->json, o);
		return err;
	}
	if (vcpu >= 0)
		printf("vCPU %d, %u-bit code\n", vcpu, d->mode * 8);
	if (d->table)
		scols_print_table(d->table);
	scols_unref_table(d->table);
	d->table = NULL;
	return err;
}

/* By the tables that it has now, even if it goes on with others. */
static int look_from(struct disas *d, unsigned int vcpu, uint64_t *rip)
{
	struct kvmi_vcpu_get_registers_reply reply;
	int err;

	err = kvmi_vcpu_get_registers(d->view.vm, vcpu, NULL, 0, &reply, NULL);
	if (err)
		return err;
	d->page = 1;
	d->mode = reply.mode;
	d->view.vcpu = vcpu;
	d->view.root = reply.sregs.cr3;
	d->view.has_root = true;
	*rip = reply.regs.rip;
	if (reply.mode != CODE_MODE)
		*rip += reply.sregs.cs.base;
	return 0;
}

/* A symbol alone is all of it. */
static int show_address(struct disas *d)
{
	uint64_t gva, number, offset, next = 0;
	const char *name = NULL;
	int err;

	d->mode = CODE_MODE;
	err = d->vcpu < 0 ? 0 : look_from(d, (unsigned int)d->vcpu, &gva);
	if (err)
		complain(err, "cannot ask vCPU %d", d->vcpu);
	else
		err = view_parse(&d->view, d->address, &gva);
	if (err)
		return err;
	if (!d->count && d->view.guest && parse_number(d->address, &number))
		name = linux_symbol_at(d->view.guest, gva, &offset, &next);
	if (!name || offset || next <= gva)
		next = 0;
	return show(d, -1, gva, next, d->count ? d->count : COUNT_DEFAULT);
}

static int show_vcpu(struct disas *d, unsigned int vcpu)
{
	uint64_t rip;
	int err = look_from(d, vcpu, &rip);

	if (err == -EAGAIN && d->vcpu < 0) {
		complain(0, "vCPU %u has not started", vcpu);
		return 0;
	}
	if (err) {
		complain(err, "cannot ask vCPU %u", vcpu);
		return err;
	}
	return show(d, (int)vcpu, rip, 0,
		    d->count ? d->count : COUNT_DEFAULT);
}

/* One whose code is not there hinders no other. */
static int show_vcpus(struct disas *d)
{
	unsigned int i, first, end;
	int err, fault = 0;

	err = vcpu_range(d->view.vm, d->vcpu, &first, &end);
	for (i = first; !err && i < end; i++) {
		err = show_vcpu(d, i);
		fault = err == -EFAULT ? err : fault;
		err = err == -EFAULT ? 0 : err;
	}
	return err ? err : fault;
}

static int act(struct disas *d, struct kvmi_vm *vm)
{
	int err;

	d->page = 1;
	if (d->pid >= 0)
		err = view_open(&d->view, vm, d->pid);
	else
		err = view_open_any(&d->view, vm, 0);
	if (err)
		return err;
	err = d->address ? show_address(d) : show_vcpus(d);
	view_close(&d->view);
	return err;
}

static void read_command_line(struct disas *d, struct common *common, int argc,
			      char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "vcpu", required_argument, NULL, OPTION_VCPU },
		{ "pid", required_argument, NULL, OPTION_PID },
		{ "intel", no_argument, NULL, OPTION_INTEL },
		{ "count", required_argument, NULL, 'n' },
		{ 0 },
	};
	const char *count = NULL;
	int option;

	while ((option = getopt_long(argc, argv, COMMON_SHORT "n:", options,
				     NULL)) >= 0) {
		if (option == OPTION_VCPU)
			d->vcpu = vcpu_option(&verb_disas, optarg);
		else if (option == OPTION_PID)
			d->pid = pid_option(&verb_disas, optarg);
		else if (option == OPTION_INTEL)
			d->is_intel = true;
		else if (option == 'n')
			count = optarg;
		else
			common_option(common, &verb_disas, option);
	}
	if (argc - optind > 2)
		usage(&verb_disas, "give an address or symbol, and a count");
	if (d->pid >= 0 && (d->vcpu >= 0 || argc == optind))
		usage(&verb_disas, "--pid is for an address, without --vcpu");
	if (optind < argc)
		d->address = argv[optind];
	if (argc - optind == 2)
		count = argv[optind + 1];
	if (count && (parse_number(count, &d->count) || !d->count))
		usage(&verb_disas, "'%s' is no number of instructions", count);
}

static int run(int argc, char **argv)
{
	struct disas d = { .vcpu = -1, .pid = -1 };
	struct session session;
	struct common common;
	int status, err;

	common_init(&common);
	read_command_line(&d, &common, argc, argv);
	status = session_open(&session, &common);
	if (status)
		return status;
	stop_by_signals();
	if (common.is_json)
		d.json = json_object_new_array();
	err = act(&d, session.vm);
	if (d.json)
		print_json(d.json);
	session_close(&session);
	return err ? EXIT_FAILED : EXIT_DONE;
}

const struct verb verb_disas = {
	.name = "disas",
	.arguments = "[ADDRESS|SYMBOL[+OFFSET] [COUNT]]",
	.summary = "Show code in the guest's memory as instructions",
	.help = "      Without an address: where each vCPU is\n"
		"      A symbol without a count: up to the next symbol\n"
		"  -n, --count N       how many instructions; default 10\n"
		"      --vcpu N        where this vCPU is, or with its page tables\n"
		"      --pid N         the memory of this process\n"
		"      --intel         Intel's syntax instead of AT&T's\n",
	.run = run,
};
