// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvmi profile: the symbols and types of a guest's Linux, from the memory of
 * the guest or from the file of its kernel, for this and other programs.
 */
#include <errno.h>
#include <stdlib.h>

#include "wish.h"

enum {
	OPTION_IMAGE = OPTION_OWN,
	OPTION_MAP,
	OPTION_ISF,
	OPTION_CONF,
	OPTION_NAME,
	OPTION_KASLR,
};

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
	stop_by_signals();
	profile_stop_by(&is_stopped);
	err = profile_from_vm(profile, session.vm);
	profile_stop_by(NULL);
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

	if (wish_is_stdout(wish->map) + wish_is_stdout(wish->isf) +
	    wish_is_stdout(wish->conf) > 1)
		usage(&verb_profile, "only one file can go to stdout");
	if (wish->conf && (!map || wish_is_stdout(map)))
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
	status = wish_fulfil(&wish, profile, common.is_json);
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
