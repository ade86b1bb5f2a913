// SPDX-License-Identifier: LGPL-2.1-or-later
/* The bytes of a kernel by their virtual addresses. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "image.h"

int image_init(struct image *image, uint64_t start, uint64_t end)
{
	*image = (struct image){
		.start = round_down(start, IMAGE_BLOCK),
		.end = round_up(end, IMAGE_BLOCK),
	};
	image->bytes = mmap(NULL, image->end - image->start,
			    PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (image->bytes != MAP_FAILED)
		return 0;
	image->bytes = NULL;
	return -ENOMEM;
}

void image_exit(struct image *image)
{
	if (image->bytes)
		munmap(image->bytes, image->end - image->start);
	free(image->present);
	free(image->spans);
	*image = (struct image){ 0 };
}

int image_add_span(struct image *image, uint64_t start, uint64_t end)
{
	struct span *spans;

	spans = reallocarray(image->spans, image->span_count + 1,
			     sizeof(*spans));
	if (!spans)
		return -ENOMEM;
	spans[image->span_count++] = (struct span){ start, end };
	image->spans = spans;
	return 0;
}

static bool is_present(const struct image *image, uint64_t from, uint64_t to)
{
	for (; from < to; from += IMAGE_PAGE)
		if (!image->present[(from - image->start) / IMAGE_PAGE])
			return false;
	return true;
}

static void fetch(struct image *image, uint64_t from, uint64_t to)
{
	from = round_down(from, IMAGE_BLOCK);
	to = round_up(to, IMAGE_BLOCK);
	if (!image->err)
		image->err = image->fetch(image, from, (to - from) / IMAGE_PAGE);
}

const uint8_t *image_at(struct image *image, uint64_t at, size_t size)
{
	uint64_t from = round_down(at, IMAGE_PAGE);
	uint64_t to = round_up(at + size, IMAGE_PAGE);

	if (at < image->start || at > image->end || size > image->end - at)
		return NULL;
	if (image->present && !is_present(image, from, to)) {
		fetch(image, from, to);
		if (!is_present(image, from, to))
			return NULL;
	}
	return image->bytes + (at - image->start);
}
