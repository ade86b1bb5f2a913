// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmi profile: the symbols and types of a guest's Linux, from the memory of
 * the guest or from the file of its kernel, for this and other programs.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include <profile.h>

#include "kvmi.h"

enum {
	OPTION_IMAGE = OPTION_OWN,
	OPTION_MAP,
	OPTION_ISF,
	OPTION_CONF,
	OPTION_NAME,
	OPTION_KASLR,
};

struct wish {
	const char *image;	/* NULL: the guest's memory */
	const char *map, *isf, *conf;	/* files to write, NULL, "-" */
	const char *name;	/* of the VM in libvmi.conf, NULL: its own */
	bool with_kaslr;
	char own_name[KVMI_NAME_SIZE];
};

/* What most programs ask for, as libvmi. */
static const struct {
	const char *structure, *field;
} offsets[] = {
	{ "task_struct", "tasks" }, { "task_struct", "mm" },
	{ "task_struct", "pid" }, { "task_struct", "comm" },
	{ "mm_struct", "pgd" },
};

#define OFFSETS (sizeof(offsets) / sizeof(offsets[0]))

static bool is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
}

static void complain_image(int err, const char *path)
{
	if (err == -ENOEXEC)
		complain(0, "%s is no vmlinuz or vmlinux of x86-64", path);
	else if (err == -EOPNOTSUPP)
		complain(0, "%s is packed by something else than gzip, xz, lzma, zstd or lz4",
			 path);
	else
		complain(err, "no profile of %s", path);
}

static int from_vm(struct profile **profile, struct wish *wish,
		   const struct common *common)
{
	struct session session;
	int err, status = session_open(&session, common);
	const char *name;

	if (status)
		return status;
	name = kvmi_vm_get_name(session.vm);
	printable(wish->own_name, sizeof(wish->own_name), name, strlen(name));
	err = profile_from_vm(profile, session.vm);
	session_close(&session);
	if (err == -ENOENT)
		complain(0, "no vCPU has a Linux kernel with symbols mapped: wait until it has booted, or give --image");
	else if (err)
		complain(err, "no profile of the guest");
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int from_image(struct profile **profile, struct wish *wish,
		      const struct common *common)
{
	int err;

	(void)common;
	err = profile_from_file(profile, wish->image);
	if (err)
		complain_image(err, wish->image);
	return err ? EXIT_FAILED : EXIT_DONE;
}

static int write_map(const struct profile *profile, FILE *to,
		     const struct wish *wish)
{
	struct profile_info info;

	profile_get_info(profile, &info);
	return profile_write_map(profile, to, wish->with_kaslr ? info.kaslr : 0);
}

static int write_isf(const struct profile *profile, FILE *to,
		     const struct wish *wish)
{
	(void)wish;
	return profile_write_isf(profile, to);
}

static int write_conf(const struct profile *profile, FILE *to,
		      const struct wish *wish)
{
	const char *name = wish->name, *map = wish->isf ? wish->isf : wish->map;
	char path[PATH_MAX];

	if (!name)
		name = *wish->own_name ? wish->own_name : "guest";
	if (!realpath(map, path))
		return -errno;
	return profile_write_conf(profile, to, name, path, !!wish->isf);
}

static int write_file(const struct profile *profile, const char *path,
		      const struct wish *wish,
		      int (*write)(const struct profile *profile, FILE *to,
				   const struct wish *wish))
{
	FILE *to;
	int err;

	if (!path)
		return 0;
	to = is_stdout(path) ? stdout : fopen(path, "w");
	if (!to) {
		complain(-errno, "cannot write %s", path);
		return -EIO;
	}
	err = write(profile, to, wish);
	if (to != stdout && fclose(to) && !err)
		err = -errno;
	if (err && to != stdout)
		remove(path);
	if (err == -ENODATA)
		complain(0, "%s: this kernel has no BTF, so there are no types",
			 path);
	else if (err == -EINVAL)
		complain(0, "%s: libvmi.conf has no way to write this name or path; see --name",
			 path);
	else if (err)
		complain(err, "cannot write %s", path);
	return err;
}

static void show(const struct profile *profile, FILE *to)
{
	struct profile_info info;
	uint64_t offset;
	size_t i;

	profile_get_info(profile, &info);
	fprintf(to, "%s\n%zu symbols, %zu types, text linked to 0x%" PRIx64 "\n",
		info.banner, info.symbols, info.types, info.text);
	if (info.is_running)
		fprintf(to, "KASLR 0x%" PRIx64 "%s, %u levels of page tables at 0x%"
			PRIx64 "\n", info.kaslr, info.is_kaslr_guessed ?
			" (a guess)" : "", info.levels, info.page_tables);
	for (i = 0; i < OFFSETS; i++)
		if (!profile_offset(profile, offsets[i].structure,
				    offsets[i].field, &offset))
			fprintf(to, "%s.%s at 0x%" PRIx64 "\n",
				offsets[i].structure, offsets[i].field, offset);
}

static struct json_object *json_offsets(const struct profile *profile)
{
	struct json_object *o = json_object_new_object();
	uint64_t offset;
	char name[64];
	size_t i;

	for (i = 0; i < OFFSETS; i++) {
		snprintf(name, sizeof(name), "%s.%s", offsets[i].structure,
			 offsets[i].field);
		if (!profile_offset(profile, offsets[i].structure,
				    offsets[i].field, &offset))
			json_object_object_add(o, name, json_gpa(offset));
	}
	return o;
}

static void show_json(const struct profile *profile, FILE *to)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *o = json_object_new_object();
	struct profile_info info;

	profile_get_info(profile, &info);
	json_object_object_add(o, "banner", json_object_new_string(info.banner));
	json_object_object_add(o, "symbols",
			       json_object_new_int64((int64_t)info.symbols));
	json_object_object_add(o, "types",
			       json_object_new_int64((int64_t)info.types));
	json_object_object_add(o, "text", json_gpa(info.text));
	json_object_object_add(o, "offsets", json_offsets(profile));
	if (info.is_running) {
		json_object_object_add(o, "kaslr", json_gpa(info.kaslr));
		json_object_object_add(o, "kaslr_guessed",
				       json_object_new_boolean(info.is_kaslr_guessed));
		json_object_object_add(o, "levels",
				       json_object_new_int((int)info.levels));
		json_object_object_add(o, "page_tables",
				       json_gpa(info.page_tables));
	}
	fprintf(to, "%s\n", json_object_to_json_string_ext(o, flags));
	json_object_put(o);
}

static int write_all(const struct profile *profile, const struct wish *wish,
		     bool is_json)
{
	/* What a pipe takes shall be nothing but the file. */
	bool is_taken = is_stdout(wish->map) || is_stdout(wish->isf) ||
			is_stdout(wish->conf);

	(is_json ? show_json : show)(profile, is_taken ? stderr : stdout);
	/* The files take a while. */
	fflush(stdout);
	if (write_file(profile, wish->map, wish, write_map) ||
	    write_file(profile, wish->isf, wish, write_isf) ||
	    write_file(profile, wish->conf, wish, write_conf))
		return EXIT_FAILED;
	return EXIT_DONE;
}

static void take_option(struct wish *wish, struct common *common, int option)
{
	if (option == OPTION_IMAGE)
		wish->image = optarg;
	else if (option == OPTION_MAP)
		wish->map = optarg;
	else if (option == OPTION_ISF)
		wish->isf = optarg;
	else if (option == OPTION_CONF)
		wish->conf = optarg;
	else if (option == OPTION_NAME)
		wish->name = optarg;
	else if (option == OPTION_KASLR)
		wish->with_kaslr = true;
	else
		common_option(common, &verb_profile, option);
}

static void check(const struct wish *wish)
{
	const char *map = wish->isf ? wish->isf : wish->map;

	if (is_stdout(wish->map) + is_stdout(wish->isf) +
	    is_stdout(wish->conf) > 1)
		usage(&verb_profile, "only one file can go to stdout");
	if (wish->conf && (!map || is_stdout(map)))
		usage(&verb_profile, "--conf names a file of --isf or --map: give one");
	if (wish->image && wish->with_kaslr)
		usage(&verb_profile, "only a running guest has KASLR");
	if (wish->conf && wish->with_kaslr && !wish->isf)
		usage(&verb_profile, "libvmi wants the map without KASLR");
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		COMMON_LONG,
		{ "image", required_argument, NULL, OPTION_IMAGE },
		{ "map", required_argument, NULL, OPTION_MAP },
		{ "isf", required_argument, NULL, OPTION_ISF },
		{ "conf", required_argument, NULL, OPTION_CONF },
		{ "name", required_argument, NULL, OPTION_NAME },
		{ "kaslr", no_argument, NULL, OPTION_KASLR },
		{ 0 },
	};
	struct wish wish = { 0 };
	struct profile *profile;
	struct common common;
	int option, status;

	common_init(&common);
	while ((option = getopt_long(argc, argv, COMMON_SHORT, options,
				     NULL)) >= 0)
		take_option(&wish, &common, option);
	if (optind != argc)
		usage(&verb_profile, "there are no arguments");
	check(&wish);

	status = (wish.image ? from_image : from_vm)(&profile, &wish, &common);
	if (status)
		return status;
	status = write_all(profile, &wish, common.is_json);
	profile_free(profile);
	return status;
}

const struct verb verb_profile = {
	.name = "profile",
	.arguments = "",
	.summary = "Find the symbols and types of a guest's Linux",
	.help = "      --image FILE    of this vmlinuz or vmlinux, without a VM\n"
		"      --map FILE      write a System.map; '-' is stdout\n"
		"      --kaslr         with the addresses of the running guest\n"
		"      --isf FILE      write JSON for Volatility 3 and libvmi\n"
		"      --conf FILE     write a stanza of libvmi.conf, which names the file\n"
		"                      of --isf, or that of --map\n"
		"      --name NAME     what the VM is called there; default its name\n",
	.run = run,
};
