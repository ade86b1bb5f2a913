// SPDX-License-Identifier: GPL-2.0-or-later
/* kvmi dump: a core of the guest's memory and registers. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dump.h"
#include "kvmi.h"

#define MIB		1048576.0
#define PROGRESS_S	0.2

enum { OPTION_LIVE = OPTION_OWN, OPTION_PLAIN, OPTION_PROBE };

struct dump {
	struct kvmi_vm *vm;
	const char *path;
	bool is_live, is_plain, is_thorough, is_shared, is_json;
	bool shows_progress;

	struct ram ram;
	struct dump_kernel kernel;
	struct hold hold;
	struct sink sink;
	unsigned int vcpus;
	uint64_t done;			/* bytes of memory */
	double start, shown, stood;	/* s; of the pause */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* What can take long comes before the pause. */
static int prepare(struct dump *d)
{
	int err = 0;

	if (!d->is_plain)
		err = dump_kernel_find(&d->kernel, d->vm);
	if (err && err != -ECONNRESET) {
		complain(err == -ENOENT ? 0 : err,
			 "no Linux kernel is found in the guest: there will be no VMCOREINFO, and no\n"
			 "kvmi: virtual addresses; --plain does not look for one");
		err = 0;
	}
	if (!err)
		err = ram_find(&d->ram, d->vm, d->is_thorough);
	if (!err && !d->ram.size)
		err = -ENOENT;
	if (err && err != -EINTR)
		complain(err, "cannot find the guest's memory");
	return err;
}

static void show_progress(struct dump *d)
{
	double time = now(), seconds = time - d->start, left;

	if (!d->shows_progress || time - d->shown < PROGRESS_S || !d->done)
		return;
	d->shown = time;
	left = seconds * (double)(d->ram.size - d->done) / (double)d->done;
	fprintf(stderr, "\rkvmi: %3.0f %% of %.0f MiB, %.0f MiB/s, %d:%02d left\033[K",
		100.0 * (double)d->done / (double)d->ram.size,
		(double)d->ram.size / MIB, (double)d->done / MIB / seconds,
		(int)left / 60, (int)left % 60);
}

static void clear_progress(const struct dump *d)
{
	if (d->shown > 0)
		fputs("\r\033[K", stderr);
}

static int write_head(struct dump *d)
{
	struct notes notes;
	struct core core;
	int err;

	err = notes_make(&notes, d->vm, d->vcpus, &d->kernel);
	if (err) {
		free(notes.bytes);
		return err;
	}
	err = core_make(&core, &d->ram, &notes, &d->kernel);
	free(notes.bytes);
	if (err) {
		complain(err, "cannot describe the memory");
		return err;
	}
	err = sink_write(&d->sink, core.head, core.size);
	free(core.head);
	if (err && err != -EINTR)
		complain(err, "cannot write %s", d->path);
	return err;
}

static int copy_chunk(struct dump *d, struct reader *reader)
{
	const uint8_t *data;
	ssize_t size = reader_next(reader, &data);
	int err;

	if (size <= 0) {
		if (size)
			complain((int)size, "cannot read the guest's memory");
		return (int)size;
	}
	err = sink_write(&d->sink, data, (size_t)size);
	if (err) {
		if (err != -EINTR)
			complain(err, "cannot write %s", d->path);
		return err;
	}
	d->done += (uint64_t)size;
	show_progress(d);
	return hold_check(&d->hold);
}

static int write_memory(struct dump *d)
{
	struct reader reader;
	int err;

	err = reader_begin(&reader, d->vm, &d->ram, d->is_shared);
	d->start = now();
	while (!err && d->done < d->ram.size)
		err = is_stopped ? -EINTR : copy_chunk(d, &reader);
	reader_end(&reader);
	clear_progress(d);
	return err;
}

static int count_vcpus(struct dump *d)
{
	unsigned int first;

	d->hold.vm = d->vm;
	return vcpu_range(d->vm, -1, &first, &d->vcpus);
}

static int dump_still(struct dump *d)
{
	double start = now();
	int err, late;

	err = hold_begin(&d->hold, d->vm);
	if (err == -ETIMEDOUT)
		complain(0, "--live dumps memory while they run");
	d->vcpus = d->hold.vcpus;
	if (!err)
		err = write_head(d);
	if (!err)
		err = write_memory(d);
	late = hold_end(&d->hold);
	d->stood = now() - start;
	return err ? err : late;
}

static int dump_live(struct dump *d)
{
	int err = count_vcpus(d);

	if (!err)
		err = write_head(d);
	return err ? err : write_memory(d);
}

static void explain(int err)
{
	if (err == -EINTR)
		complain(0, "interrupted: there is no core, and the guest runs");
	else if (err == -ECANCELED)
		complain(0, "the device manager wants the VM, as to stop or migrate it: there is no core;\n"
			 "kvmi: try again when that is done");
}

static void report(const struct dump *d)
{
	struct json_object *o;

	if (!d->is_json) {
		fprintf(stderr, "kvmi: %.0f MiB and the registers of %u vCPUs",
			(double)d->ram.size / MIB, d->vcpus);
		if (!d->is_live)
			fprintf(stderr, "; the guest stood still for %.1f s",
				d->stood);
		fputc('\n', stderr);
		return;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", json_object_new_string(d->path));
	json_object_object_add(o, "memory",
			       json_object_new_int64((int64_t)d->ram.size));
	json_object_object_add(o, "vcpus", json_object_new_int((int)d->vcpus));
	json_object_object_add(o, "vmcoreinfo",
			       json_object_new_boolean(!!d->kernel.vmcoreinfo));
	json_object_object_add(o, "still", d->is_live ? NULL :
			       json_object_new_double(d->stood));
	print_json(o);
}

static int act(struct dump *d)
{
	int err, late;

	if (sink_open(&d->sink, d->path))
		return EXIT_FAILED;
	/* To leave in time when the device manager wants that. */
	kvmi_vm_control_events(d->vm, KVMI_VM_EVENT_UNHOOK, true);
	err = prepare(d);
	if (!err)
		err = d->is_live ? dump_live(d) : dump_still(d);
	late = sink_close(&d->sink, !err);
	err = err ? err : late;
	explain(err);
	if (!err)
		report(d);
	ram_free(&d->ram);
	dump_kernel_free(&d->kernel);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static void read_command_line(struct dump *d, struct common *common, int argc,
			      char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "live", no_argument, NULL, OPTION_LIVE },
		{ "plain", no_argument, NULL, OPTION_PLAIN },
		{ "probe", no_argument, NULL, OPTION_PROBE },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0) {
		if (option == OPTION_LIVE)
			d->is_live = true;
		else if (option == OPTION_PLAIN)
			d->is_plain = true;
		else if (option == OPTION_PROBE)
			d->is_thorough = true;
		else
			common_option(common, &verb_dump, option);
	}
	if (argc - optind != 1)
		usage(&verb_dump, "name one file, or - for standard output");
	d->path = argv[optind];
	if (strcmp(d->path, "-"))
		return;
	if (isatty(STDOUT_FILENO))
		usage(&verb_dump, "a core is not for a terminal; name a file");
	if (common->is_json)
		usage(&verb_dump, "--json is for standard output as well; name a file");
}

static int run(int argc, char **argv)
{
	struct dump d = { 0 };
	struct session session;
	struct common common;
	int status;

	common_init(&common);
	read_command_line(&d, &common, argc, argv);
	status = session_open(&session, &common);
	if (status)
		return status;
	stop_by_signals();
	d.vm = session.vm;
	d.is_shared = common.shares_memory;
	d.is_json = common.is_json;
	d.shows_progress = isatty(STDERR_FILENO) && !d.is_json;
	status = act(&d);
	session_close(&session);
	return status;
}

const struct verb verb_dump = {
	.name = "dump",
	.arguments = "FILE|-",
	.summary = "Write the guest's memory and registers as an ELF core",
	.help = "      --live          let the vCPUs run: parts are of different moments\n"
		"      --plain         do not look for a Linux kernel, which takes a moment\n"
		"      --probe         look everywhere for memory, also plugged in later\n",
	.run = run,
};
