// SPDX-License-Identifier: GPL-2.0-or-later
/* The files that kvmi profile writes: what other programs read. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "wish.h"

bool wish_is_stdout(const char *path)
{
	return path && !strcmp(path, "-");
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
	to = wish_is_stdout(path) ? stdout : fopen(path, "w");
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

int wish_fulfil(const struct wish *wish, const struct profile *profile,
		bool is_json)
{
	/* What a pipe takes shall be nothing but the file. */
	bool is_taken = wish_is_stdout(wish->map) ||
			wish_is_stdout(wish->isf) || wish_is_stdout(wish->conf);
	FILE *to = is_taken ? stderr : stdout;

	(is_json ? profile_show_json : profile_show)(profile, to);
	/* The files take a while. */
	fflush(stdout);
	if (write_file(profile, wish->map, wish, write_map) ||
	    write_file(profile, wish->isf, wish, write_isf) ||
	    write_file(profile, wish->conf, wish, write_conf))
		return EXIT_FAILED;
	return EXIT_DONE;
}
