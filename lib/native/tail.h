/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The records at the end of a message of the handshake. */
#ifndef KVMI_NATIVE_TAIL_H
#define KVMI_NATIVE_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <kvmi/handshake.h>

/* Contents, by their distance from the begin of the message; 0: none. */
struct tail {
	bool has_features;
	uint32_t features;	/* KVMI_FEATURE_ */
	size_t nonce;
	size_t proof;
	size_t areas;
	size_t area_count;
	size_t ranges;
	size_t range_count;
};

/*
 * Reads the records between the bytes @at and @size of @msg. Errors: -EPROTO:
 * a record leaves the message, comes twice or has a wrong size.
 */
int tail_read(struct tail *tail, const uint8_t *msg, size_t at, size_t size);
/* Whether what begins at byte @at is a tail of ours. */
bool tail_is_ours(const uint8_t *msg, size_t at, size_t size);

/* A record at the end of a message: returns the size afterwards. */
size_t tail_append(uint8_t *msg, size_t at, uint16_t type, const void *content,
		   size_t size);

#endif
