/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guest memory that the device manager has shared. */
#ifndef KVMI_NATIVE_SHARED_H
#define KVMI_NATIVE_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ready.h"

/* A file with guest memory, mapped as a whole. */
struct shared_file {
	int fd;
	bool is_sealed;		/* it cannot become shorter */
	uint64_t size;		/* bytes that are mapped */
	const uint8_t *bytes;
};

struct shared {
	size_t range_count;
	struct kvmi_handshake_range *ranges;	/* by gpa, none overlaps */
	unsigned int file_count;
	struct shared_file *files;
};

/*
 * Maps what a ready, which is believed, tells. Takes its descriptors, also on
 * error. Errors: -EPROTO: it makes no sense; -ENOMEM; as mmap(2).
 */
int shared_init(struct shared *shared, struct ready *ready);
/* Harmless for one that is all zeros. */
void shared_uninit(struct shared *shared);

/* Where guest memory is mapped, or NULL if it is not, or not in one piece. */
const void *shared_find(const struct shared *shared, uint64_t gpa,
			uint64_t size, const struct shared_file **file);
/*
 * Copies guest memory. Returns false if not all of it is there, also because a
 * file has become shorter.
 */
bool shared_read(const struct shared *shared, uint64_t gpa, void *data,
		 size_t size);

#endif
