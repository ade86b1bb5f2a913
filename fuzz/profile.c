// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a profile is read from: a packed kernel or an ELF file of any bytes, and
 * the kernel's tables of symbols, good ones of which some bytes are changed. The
 * first byte chooses which.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/profile/file.h"
#include "../lib/profile/inside.h"
#include "../lib/profile/unpack.h"
#include "../tests/unit/made.h"

#define KINDS	4
#define PAGE	4096
#define ROOM	65536

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct image sources[KINDS];
static struct made made[KINDS];

static void make_sources(void)
{
	int i;

	for (i = 0; i < KINDS; i++) {
		made[i] = (struct made){
			.order = i & 1,
			.has_sequence = i & 2,
			.has_absolute = i & 1,
			.count = 300,
		};
		make_tables(&made[i], &sources[i]);
	}
}

static void read_file(const uint8_t *bytes, size_t size)
{
	struct image image;
	uint8_t *kernel;
	size_t length;

	if (!unpack_kernel(bytes, size, &kernel, &length))
		free(kernel);
	if (!image_from_elf(&image, bytes, size))
		image_exit(&image);
}

static void read_tables(struct image *image)
{
	struct kallsyms tables;
	struct symbols symbols;

	if (kallsyms_find(&tables, image) || kallsyms_read(&tables, &symbols))
		return;
	symbols_find(&symbols, "x");
	symbols_free(&symbols);
}

/* Three bytes are a place and what to flip there. */
static void change_tables(int kind, const uint8_t *bytes, size_t size)
{
	const struct image *source = &sources[kind];
	const size_t length = made[kind].end - source->start;
	struct image image;
	size_t i, at;

	if (image_init(&image, source->start, source->start + ROOM))
		return;
	memcpy(image.bytes, source->bytes, length);
	image_add_span(&image, image.start, image.end);
	for (i = 0; i + 3 <= size; i += 3) {
		at = (bytes[i] | bytes[i + 1] << 8) % (length - PAGE);
		image.bytes[PAGE + at] ^= bytes[i + 2];
	}
	read_tables(&image);
	image_exit(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!made[0].count)
		make_sources();
	if (!size)
		return 0;
	if (bytes[0] & 0x80)
		read_file(bytes + 1, size - 1);
	else
		change_tables(bytes[0] % KINDS, bytes + 1, size - 1);
	return 0;
}
