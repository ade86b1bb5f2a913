// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unpack a bzImage. Its setup header tells where the packed kernel lies (the
 * boot protocol, since 2.08), the last four bytes there how big it is unpacked.
 */
#include <errno.h>
#include <stdlib.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "image.h"
#include "unpack.h"

#define SETUP_SECTORS	0x1f1
#define SETUP_MAGIC	0x202
#define SETUP_VERSION	0x206
#define PAYLOAD_OFFSET	0x248
#define PAYLOAD_LENGTH	0x24c
#define SETUP_END	0x250
#define SECTOR		512
#define KERNEL_MAX	(512ul << 20)

struct packed {
	const uint8_t *from;
	size_t size;		/* without the four bytes */
	uint8_t *to;
	size_t room;
};

static int unpack_gzip(const struct packed *p)
{
	z_stream stream = {
		.next_in = (Bytef *)p->from,
		/* The four bytes are its own. */
		.avail_in = (uInt)p->size + 4,
		.next_out = p->to,
		.avail_out = (uInt)p->room,
	};
	int end;

	if (inflateInit2(&stream, 15 + 16) != Z_OK)
		return -ENOMEM;
	end = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return end == Z_STREAM_END && !stream.avail_out ? 0 : -EBADMSG;
}

/* xz, or the old lzma. */
static int unpack_lzma(const struct packed *p)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_ret end;

	if (lzma_auto_decoder(&stream, UINT64_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	stream.next_in = p->from;
	stream.avail_in = p->size;
	stream.next_out = p->to;
	stream.avail_out = p->room;
	do
		end = lzma_code(&stream, LZMA_FINISH);
	while (end == LZMA_OK);
	lzma_end(&stream);
	return end == LZMA_STREAM_END && !stream.avail_out ? 0 : -EBADMSG;
}

static int unpack_zstd(const struct packed *p)
{
	size_t size = ZSTD_decompress(p->to, p->room, p->from, p->size);

	return !ZSTD_isError(size) && size == p->room ? 0 : -EBADMSG;
}

/* The old frame: a magic number, then sizes and blocks. */
static int unpack_lz4(const struct packed *p)
{
	size_t at = 4, to = 0, size;
	int made;

	while (at < p->size) {
		if (p->size - at < 4)
			return -EBADMSG;
		size = get32(p->from + at);
		at += 4;
		if (!size || size > p->size - at)
			return -EBADMSG;
		made = LZ4_decompress_safe((const char *)p->from + at,
					   (char *)p->to + to, (int)size,
					   (int)(p->room - to));
		if (made < 0)
			return -EBADMSG;
		at += size;
		to += (size_t)made;
	}
	return to == p->room ? 0 : -EBADMSG;
}

static const struct {
	const char *magic;
	size_t size;
	int (*unpack)(const struct packed *packed);
} kinds[] = {
	{ "\x1f\x8b", 2, unpack_gzip },
	{ "\xfd\x37zXZ", 6, unpack_lzma },
	{ "\x5d\0\0", 3, unpack_lzma },
	{ "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "\x02\x21\x4c\x18", 4, unpack_lz4 },
};

static int unpack(struct packed *p)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!memcmp(p->from, kinds[i].magic, kinds[i].size))
			break;
	if (i == sizeof(kinds) / sizeof(kinds[0]))
		return -EOPNOTSUPP;
	p->to = malloc(p->room);
	return p->to ? kinds[i].unpack(p) : -ENOMEM;
}

int unpack_kernel(const uint8_t *file, size_t size, uint8_t **out,
		  size_t *out_size)
{
	struct packed p;
	uint64_t at;
	int err;

	if (size < SETUP_END || memcmp(file + SETUP_MAGIC, "HdrS", 4) ||
	    get16(file + SETUP_VERSION) < 0x208)
		return -ENOEXEC;
	at = (file[SETUP_SECTORS] ? file[SETUP_SECTORS] + 1ul : 5ul) * SECTOR +
	     get32(file + PAYLOAD_OFFSET);
	p.size = get32(file + PAYLOAD_LENGTH);
	if (at > size || p.size > size - at || p.size < 16)
		return -EBADMSG;
	p.from = file + at;
	p.size -= 4;
	p.to = NULL;
	p.room = get32(p.from + p.size);
	if (!p.room || p.room > KERNEL_MAX)
		return -EBADMSG;

	err = unpack(&p);
	if (err) {
		free(p.to);
		return err;
	}
	*out = p.to;
	*out_size = p.room;
	return 0;
}
