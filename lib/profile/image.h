/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of a kernel by their virtual addresses, whether they come from a
 * file or, a block at a time, from a running guest. All that reads kernels
 * reads them here, so a file and a guest are read by the same code.
 */
#ifndef KVMI_PROFILE_IMAGE_H
#define KVMI_PROFILE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IMAGE_PAGE	4096ul
/* What is fetched at once, as an answer takes longer than a page. */
#define IMAGE_BLOCK	(64 * IMAGE_PAGE)

/* Where x86-64 Linux maps its own image, and where that ends at the latest. */
#define KERNEL_WINDOW	0xffffffff80000000ull
#define KERNEL_WINDOW_SIZE (1ull << 30)

struct span {
	uint64_t start, end;
};

struct image {
	uint64_t start, end;	/* multiples of the block */
	uint8_t *bytes;		/* unused ones cost nothing */
	uint8_t *present;	/* one a page; NULL: all are */
	struct span *spans;	/* to be searched, the likely ones first */
	size_t span_count;
	/* Brings what is there of some pages, and sets their @present. */
	int (*fetch)(struct image *image, uint64_t at, size_t pages);
	void *source;
	int err;		/* of the first fetch that failed */
};

/* Returns 0 or -ENOMEM. @end - @start is at most KERNEL_WINDOW_SIZE. */
int image_init(struct image *image, uint64_t start, uint64_t end);
void image_exit(struct image *image);
int image_add_span(struct image *image, uint64_t start, uint64_t end);
/* The bytes at an address, or NULL where they are not all there. */
const uint8_t *image_at(struct image *image, uint64_t at, size_t size);

static inline uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* @unit is a power of two. */
static inline uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static inline uint64_t round_down(uint64_t value, uint64_t unit)
{
	return value & ~(unit - 1);
}

#endif
