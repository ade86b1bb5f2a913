// SPDX-License-Identifier: LGPL-2.1-or-later
/* Guest memory that the device manager has shared. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared.h"

static int read_ranges(struct shared *shared, const struct ready *ready)
{
	const size_t size = ready->tail.range_count * sizeof(*shared->ranges);

	if (!ready->tail.ranges)
		return -EPROTO;
	shared->ranges = malloc(size ? size : 1);
	if (!shared->ranges)
		return -ENOMEM;
	memcpy(shared->ranges, ready->bytes + ready->tail.ranges, size);
	shared->range_count = ready->tail.range_count;
	return 0;
}

/* In order, within the addresses, each of a file that has come. */
static bool is_sane(const struct kvmi_handshake_range *range, uint64_t end,
		    unsigned int fd_count)
{
	return range->gpa >= end && range->size &&
	       range->gpa + range->size > range->gpa &&
	       range->offset + range->size > range->offset &&
	       range->offset + range->size <= INT64_MAX &&
	       range->fd < fd_count;
}

/* How much of a file is to be mapped. */
static uint64_t used_size(const struct shared *shared, unsigned int file)
{
	const struct kvmi_handshake_range *range;
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < shared->range_count; i++) {
		range = &shared->ranges[i];
		if (range->fd == file && range->offset + range->size > end)
			end = range->offset + range->size;
	}
	return end;
}

static int map_file(struct shared_file *file, int fd, uint64_t used)
{
	struct stat st;
	uint64_t block;
	void *bytes;
	int seals;

	if (!used || fstat(fd, &st))
		return -EPROTO;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < used)
		return -EPROTO;

	/* A length of huge pages where the file is of such. */
	block = (uint64_t)st.st_blksize;
	file->size = (used + block - 1) / block * block;
	bytes = mmap(NULL, file->size, PROT_READ, MAP_SHARED, fd, 0);
	if (bytes == MAP_FAILED)
		return -errno;
	seals = fcntl(fd, F_GET_SEALS);
	file->is_sealed = seals >= 0 && (seals & F_SEAL_SHRINK);
	file->bytes = bytes;
	return 0;
}

static int map_files(struct shared *shared, const struct ready *ready)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ready->fd_count && !err; i++)
		err = map_file(&shared->files[i], ready->fds[i],
			       used_size(shared, i));
	return err;
}

static int check_ranges(const struct shared *shared, unsigned int fd_count)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < shared->range_count; i++) {
		if (!is_sane(&shared->ranges[i], end, fd_count))
			return -EPROTO;
		end = shared->ranges[i].gpa + shared->ranges[i].size;
	}
	return 0;
}

/* What has come with the ready is ours, whatever becomes of it. */
static int take_files(struct shared *shared, struct ready *ready)
{
	unsigned int i;

	shared->files = calloc(KVMI_HANDSHAKE_FDS_MAX, sizeof(*shared->files));
	if (!shared->files) {
		ready_close_fds(ready);
		return -ENOMEM;
	}
	for (i = 0; i < ready->fd_count; i++)
		shared->files[i].fd = ready->fds[i];
	shared->file_count = ready->fd_count;
	return 0;
}

int shared_init(struct shared *shared, struct ready *ready)
{
	int err;

	err = take_files(shared, ready);
	if (!err)
		err = read_ranges(shared, ready);
	if (!err)
		err = check_ranges(shared, ready->fd_count);
	if (!err)
		err = map_files(shared, ready);
	ready->fd_count = 0;
	if (err)
		shared_uninit(shared);
	return err;
}

void shared_uninit(struct shared *shared)
{
	struct shared_file *file;
	unsigned int i;

	for (i = 0; i < shared->file_count; i++) {
		file = &shared->files[i];
		if (file->bytes)
			munmap((void *)file->bytes, file->size);
		close(file->fd);
	}
	free(shared->files);
	free(shared->ranges);
	memset(shared, 0, sizeof(*shared));
}

static const struct kvmi_handshake_range *find(const struct shared *shared,
					       uint64_t gpa)
{
	size_t low = 0, high = shared->range_count, middle;
	const struct kvmi_handshake_range *range;

	while (low < high) {
		middle = (low + high) / 2;
		range = &shared->ranges[middle];
		if (gpa < range->gpa)
			high = middle;
		else if (gpa - range->gpa < range->size)
			return range;
		else
			low = middle + 1;
	}
	return NULL;
}

const void *shared_find(const struct shared *shared, uint64_t gpa,
			uint64_t size, const struct shared_file **file)
{
	const struct kvmi_handshake_range *range = find(shared, gpa);

	if (!range || size > range->size - (gpa - range->gpa))
		return NULL;
	*file = &shared->files[range->fd];
	return (*file)->bytes + range->offset + (gpa - range->gpa);
}

/* Not through the mapping, where a file that shrinks would be a signal. */
static bool read_file(const struct shared_file *file, const void *from,
		      void *data, size_t size)
{
	off_t offset = (const uint8_t *)from - file->bytes;
	ssize_t n;

	do {
		n = pread(file->fd, data, size, offset);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

static bool read_piece(const struct shared *shared, uint64_t gpa, void *data,
		       size_t size)
{
	const struct shared_file *file;
	const void *from = shared_find(shared, gpa, size, &file);

	if (!from)
		return false;
	if (!file->is_sealed)
		return read_file(file, from, data, size);
	memcpy(data, from, size);
	return true;
}

bool shared_read(const struct shared *shared, uint64_t gpa, void *data,
		 size_t size)
{
	const struct kvmi_handshake_range *range;
	uint8_t *to = data;
	size_t piece;

	while (size) {
		range = find(shared, gpa);
		if (!range)
			return false;
		piece = size;
		if (piece > range->size - (gpa - range->gpa))
			piece = (size_t)(range->size - (gpa - range->gpa));
		if (!read_piece(shared, gpa, to, piece))
			return false;
		gpa += piece;
		to += piece;
		size -= piece;
	}
	return true;
}
