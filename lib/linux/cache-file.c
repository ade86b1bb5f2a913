// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The files of the cache. Nobody but their owner shall be able to write or to
 * replace them, so the folder and each file are checked when they are open.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

#define SUFFIX		".profile"
#define MAGIC		"kvmi-p1"
#define ENTRIES_MAX	256	/* of a folder that others fill, too */

static bool is_private(int fd, mode_t type)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == type &&
	       st.st_uid == geteuid() && !(st.st_mode & 022);
}

static int make_folder(const char *path)
{
	int err, fd;

	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (!err && !is_private(fd, S_IFDIR)) {
		close(fd);
		return -EPERM;
	}
	return err ? err : fd;
}

static int make_below(const char *base, const char *rest)
{
	char path[PATH_MAX];

	if (!base || *base != '/' ||
	    snprintf(path, sizeof(path), "%s%s", base, rest) >= PATH_MAX)
		return -ENOENT;
	return make_folder(path);
}

static int open_home(void)
{
	const char *home = secure_getenv("HOME");
	int base = make_below(home, "/.cache");

	if (base >= 0)
		close(base);
	return make_below(home, "/.cache/kvmi");
}

int cache_open_folder(void)
{
	const char *wish = secure_getenv("KVMI_CACHE");
	const char *user = secure_getenv("XDG_CACHE_HOME");

	if (wish && !strcmp(wish, "off"))
		return -ENOENT;
	if (wish && *wish)
		return make_folder(wish);
	if (!geteuid())
		return make_folder("/var/cache/kvmi");
	return user && *user ? make_below(user, "/kvmi") : open_home();
}

struct entry {
	char *name;
	struct timespec time;
};

static int newest_first(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;

	if (a->time.tv_sec != b->time.tv_sec)
		return a->time.tv_sec > b->time.tv_sec ? -1 : 1;
	return (a->time.tv_nsec < b->time.tv_nsec) -
	       (a->time.tv_nsec > b->time.tv_nsec);
}

static bool is_ours(int folder, const char *name, struct timespec *time)
{
	size_t length = strlen(name), suffix = strlen(SUFFIX);
	struct stat st;

	if (length < suffix || strcmp(name + length - suffix, SUFFIX) ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) ||
	    !S_ISREG(st.st_mode))
		return false;
	*time = st.st_mtim;
	return true;
}

static size_t read_entries(int folder, DIR *dir, struct entry *list)
{
	struct dirent *d;
	size_t count = 0;

	while (count < ENTRIES_MAX && (d = readdir(dir))) {
		if (!is_ours(folder, d->d_name, &list[count].time))
			continue;
		list[count].name = strdup(d->d_name);
		count += !!list[count].name;
	}
	qsort(list, count, sizeof(*list), newest_first);
	return count;
}

int cache_list(int folder, char ***names, size_t *count)
{
	struct entry list[ENTRIES_MAX];
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t i;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -ENOENT;
	}
	*count = read_entries(folder, dir, list);
	closedir(dir);
	*names = calloc(*count + 1, sizeof(**names));
	for (i = 0; i < *count; i++) {
		if (*names)
			(*names)[i] = list[i].name;
		else
			free(list[i].name);
	}
	return *names ? 0 : -ENOMEM;
}

void cache_free_list(char **names, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static bool is_head(const struct cache_head *head)
{
	return !memcmp(head->magic, MAGIC, sizeof(head->magic)) &&
	       head->banner_size <= BANNER_ROOM &&
	       head->notes_size <= NOTES_MAX;
}

int cache_open_file(int folder, const char *name, struct cache_head *head)
{
	int fd = openat(folder, name,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!is_private(fd, S_IFREG) ||
	    pread(fd, head, sizeof(*head), 0) != sizeof(*head) ||
	    !is_head(head)) {
		close(fd);
		return -EBADMSG;
	}
	return fd;
}

static int write_all(int fd, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	ssize_t n;

	for (; size; size -= (size_t)n, at += n) {
		n = write(fd, at, size);
		if (n < 0)
			return -errno;
	}
	return 0;
}

int cache_write_file(int folder, const char *name,
		     const struct cache_head *head, const void *body)
{
	struct cache_head own = *head;
	char temporary[NAME_MAX];
	int fd, err;

	memcpy(own.magic, MAGIC, sizeof(own.magic));
	if (snprintf(temporary, sizeof(temporary), ".%s.%d", name,
		     (int)getpid()) >= NAME_MAX)
		return -ENAMETOOLONG;
	/* Of a program that had this number before and died. */
	unlinkat(folder, temporary, 0);
	fd = openat(folder, temporary,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, &own, sizeof(own));
	if (!err)
		err = write_all(fd, body, own.body_size);
	if (close(fd) && !err)
		err = -errno;
	if (!err && renameat(folder, temporary, folder, name))
		err = -errno;
	if (err)
		unlinkat(folder, temporary, 0);
	return err;
}

void cache_prune(int folder, size_t keep)
{
	size_t i, count;
	char **names;

	if (cache_list(folder, &names, &count))
		return;
	for (i = keep; i < count; i++)
		unlinkat(folder, names[i], 0);
	cache_free_list(names, count);
}
