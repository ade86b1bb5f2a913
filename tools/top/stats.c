// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM's statistics of a vCPU. Only the process that made the VM can ask for
 * their descriptor; QEMU has, and root can share it.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "top.h"

#define COUNT_MAX	256	/* statistics of a vCPU */
#define NAME_MAX_SIZE	256

/* The number of QEMU's descriptor, or -ENOENT. */
static int find_number(int pid, unsigned int vcpu)
{
	char folder[64], path[96 + 256], target[64], wanted[48];
	struct dirent *entry;
	int found = -ENOENT;
	ssize_t size;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", pid);
	snprintf(wanted, sizeof(wanted), "anon_inode:kvm-vcpu-stats:%u", vcpu);
	dir = opendir(folder);
	if (!dir)
		return -errno;
	while (found < 0 && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		size = readlink(path, target, sizeof(target) - 1);
		if (size < 0)
			continue;
		target[size] = '\0';
		if (!strcmp(target, wanted))
			found = atoi(entry->d_name);
	}
	closedir(dir);
	return found;
}

int stats_open(struct stats *stats, int pid, unsigned int vcpu)
{
	int number = find_number(pid, vcpu), pidfd;

	*stats = (struct stats){ .fd = -1 };
	if (number < 0)
		return number;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	stats->fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (stats->fd < 0)
		stats->fd = -1;
	close(pidfd);
	return stats->fd < 0 ? -EPERM : stats_read(stats);
}

static int read_at(int fd, void *to, size_t size, off_t offset)
{
	ssize_t n = pread(fd, to, size, offset);

	return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}

static int read_one(struct stats *stats, const struct kvm_stats_header *header,
		    const struct kvm_stats_desc *desc, const char *name)
{
	struct counter *c;
	uint64_t value;
	int err;

	if ((desc->flags & KVM_STATS_TYPE_MASK) != KVM_STATS_TYPE_CUMULATIVE ||
	    desc->size != 1)
		return 0;
	err = read_at(stats->fd, &value, sizeof(value),
		      header->data_offset + desc->offset);
	if (err)
		return err;
	c = counters_get(&stats->counters, name);
	if (!c)
		return -ENOMEM;
	c->before = c->value;
	c->value = value;
	return 0;
}

int stats_read(struct stats *stats)
{
	struct kvm_stats_header header;
	union {
		struct kvm_stats_desc desc;
		char room[sizeof(struct kvm_stats_desc) + NAME_MAX_SIZE + 1];
	} u;
	size_t size;
	uint32_t i;
	int err;

	if (stats->fd < 0)
		return -ENOENT;
	err = read_at(stats->fd, &header, sizeof(header), 0);
	if (err)
		return err;
	if (header.num_desc > COUNT_MAX || header.name_size > NAME_MAX_SIZE)
		return -EPROTO;
	size = sizeof(struct kvm_stats_desc) + header.name_size;
	memset(&u, 0, sizeof(u));
	for (i = 0; i < header.num_desc && !err; i++) {
		err = read_at(stats->fd, &u, size,
			      header.desc_offset + (off_t)(i * size));
		if (!err)
			err = read_one(stats, &header, &u.desc,
				       u.room + sizeof(struct kvm_stats_desc));
	}
	return err;
}

void stats_close(struct stats *stats)
{
	if (stats->fd >= 0)
		close(stats->fd);
	counters_free(&stats->counters);
	stats->fd = -1;
}
