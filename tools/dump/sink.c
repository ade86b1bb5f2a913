// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A file that has its name only when it is complete, and holes where there are
 * pages of zeros; or a stream, which has neither.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>

#include "dump.h"
#include "kvmi.h"

static int open_stream(struct sink *sink, const char *path)
{
	sink->fd = strcmp(path, "-") ? open(path, O_WRONLY | O_CLOEXEC) :
				       fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	return sink->fd < 0 ? -errno : 0;
}

/* What is in the guest's memory is for nobody else to read. */
static int open_draft(struct sink *sink, const char *path)
{
	if (asprintf(&sink->draft, "%s.XXXXXX", path) < 0) {
		sink->draft = NULL;
		return -ENOMEM;
	}
	sink->fd = mkostemp(sink->draft, O_CLOEXEC);
	if (sink->fd >= 0)
		return 0;
	free(sink->draft);
	sink->draft = NULL;
	return -errno;
}

int sink_open(struct sink *sink, const char *path)
{
	struct stat st;
	int err;

	*sink = (struct sink){ .path = path };
	if (!strcmp(path, "-") || (!stat(path, &st) && !S_ISREG(st.st_mode)))
		err = open_stream(sink, path);
	else
		err = open_draft(sink, path);
	if (err)
		complain(err, "cannot write %s", path);
	return err;
}

static int write_all(struct sink *sink, const uint8_t *data, size_t size)
{
	ssize_t n;

	while (size) {
		n = sink->draft ? pwrite(sink->fd, data, size,
					 (off_t)sink->at) :
				  write(sink->fd, data, size);
		if (n < 0 && (errno != EINTR || is_stopped))
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
			sink->at += (uint64_t)n;
		}
	}
	return 0;
}

static bool is_zero(const uint8_t *page)
{
	return !page[0] && !memcmp(page, page + 1, DUMP_PAGE - 1);
}

/* Bytes up to the next page that differs in being zero, or to the end. */
static size_t run_length(const uint8_t *data, size_t size, bool zero)
{
	size_t n = 0;

	while (n + DUMP_PAGE <= size && is_zero(data + n) == zero)
		n += DUMP_PAGE;
	return size - n < DUMP_PAGE && !zero ? size : n;
}

int sink_write(struct sink *sink, const void *data, size_t size)
{
	const uint8_t *at = data, *end = at + size;
	size_t n;
	int err = 0;

	if (!sink->draft)
		return write_all(sink, data, size);
	while (at < end && !err) {
		n = run_length(at, (size_t)(end - at), true);
		sink->at += n;
		at += n;
		n = run_length(at, (size_t)(end - at), false);
		err = write_all(sink, at, n);
		at += n;
	}
	return err;
}

/* A hole at the end counts, too. */
static int give_name(struct sink *sink)
{
	if (ftruncate(sink->fd, (off_t)sink->at) ||
	    rename(sink->draft, sink->path))
		return -errno;
	return 0;
}

int sink_close(struct sink *sink, bool is_complete)
{
	int err = 0;

	if (is_complete && sink->draft)
		err = give_name(sink);
	if (sink->draft && (err || !is_complete))
		unlink(sink->draft);
	if (close(sink->fd) && !err && is_complete)
		err = -errno;
	if (err)
		complain(err, "cannot write %s", sink->path);
	free(sink->draft);
	return err;
}
