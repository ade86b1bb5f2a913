/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device manager that shares the memory of its guest. */
#ifndef KVMI_TEST_SHARER_H
#define KVMI_TEST_SHARER_H

#include "peer.h"

#define MIB	(1ull << 20)
#define SHARER_FILE_SIZE (8 * MIB)

/* A guest of 4 MiB from 1 MiB on, and two above 4 GiB, in one file. */
extern const struct kvmi_handshake_range sharer_ranges[2];

struct sharer {
	uint32_t features;		/* offered */
	int fds[4];
	size_t fd_count;
	struct kvmi_handshake_range ranges[8];
	size_t range_count;
	bool has_no_record;
	int commands;			/* that were asked behind the first */
};

/* A file for a guest's memory; -1: none was had. */
int sharer_file(unsigned int seals);
/* Has the guest above; the fields may be changed. */
void sharer_init(struct sharer *s);
void sharer_uninit(struct sharer *s);
/* Says hello, takes the answer, says ready. 0 or -EPIPE. */
int sharer_begin(int fd, const struct sharer *s);

#endif
