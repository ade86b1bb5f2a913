// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernels as boot loaders get them, packed in each way, and damaged ones. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "../../lib/profile/file.h"
#include "../../lib/profile/unpack.h"
#include "rig.h"

#define KERNEL_SIZE	20000u
#define SETUP		(3 * 512u)	/* two sectors of setup */
#define OFFSET		100u		/* of the payload behind them */
#define ROOM		65536u

static uint8_t kernel[KERNEL_SIZE], file[ROOM];

static size_t pack_gzip(uint8_t *to)
{
	z_stream stream = {
		.next_in = kernel, .avail_in = KERNEL_SIZE,
		.next_out = to, .avail_out = ROOM / 2,
	};

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9,
				      Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	deflateEnd(&stream);
	/* Its own last four bytes are the size. */
	return stream.total_out - 4;
}

static size_t pack_xz(uint8_t *to)
{
	size_t size = 0;

	assert_int_equal(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL,
						 kernel, KERNEL_SIZE, to, &size,
						 ROOM / 2), LZMA_OK);
	return size;
}

static size_t pack_lzma(uint8_t *to)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	lzma_options_lzma options;

	assert_false(lzma_lzma_preset(&options, 6));
	assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
	stream.next_in = kernel;
	stream.avail_in = KERNEL_SIZE;
	stream.next_out = to;
	stream.avail_out = ROOM / 2;
	assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
	lzma_end(&stream);
	return stream.total_out;
}

static size_t pack_zstd(uint8_t *to)
{
	return ZSTD_compress(to, ROOM / 2, kernel, KERNEL_SIZE, 3);
}

/* In two blocks. */
static size_t pack_lz4(uint8_t *to)
{
	const int half = KERNEL_SIZE / 2;
	size_t at = 4;
	int i, size;

	memcpy(to, "\x02\x21\x4c\x18", 4);
	for (i = 0; i < 2; i++) {
		size = LZ4_compress_default((char *)kernel + i * half,
					    (char *)to + at + 4, half, ROOM / 4);
		memcpy(to + at, &size, 4);
		at += 4 + (size_t)size;
	}
	return at;
}

/* Returns the size of the file. */
static size_t make_file(size_t (*pack)(uint8_t *to))
{
	const uint16_t version = 0x20f;
	uint32_t offset = OFFSET, length, unpacked = KERNEL_SIZE;
	uint8_t *payload = file + SETUP + OFFSET;

	memset(file, 0, sizeof(file));
	length = (uint32_t)pack(payload);
	memcpy(payload + length, &unpacked, 4);
	length += 4;
	file[0x1f1] = 2;
	memcpy(file + 0x202, "HdrS", 4);
	memcpy(file + 0x206, &version, 2);
	memcpy(file + 0x248, &offset, 4);
	memcpy(file + 0x24c, &length, 4);
	return SETUP + OFFSET + length;
}

static int setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < KERNEL_SIZE; i++)
		kernel[i] = (uint8_t)(i * i >> 7);
	return 0;
}

static size_t (*const packers[])(uint8_t *to) = {
	pack_gzip, pack_xz, pack_lzma, pack_zstd, pack_lz4,
};

#define PACKERS (sizeof(packers) / sizeof(packers[0]))

static void each_way_is_undone(void **state)
{
	size_t i, size, got;
	uint8_t *out;

	(void)state;
	for (i = 0; i < PACKERS; i++) {
		size = make_file(packers[i]);
		assert_int_equal(unpack_kernel(file, size, &out, &got), 0);
		assert_int_equal(got, KERNEL_SIZE);
		assert_memory_equal(out, kernel, KERNEL_SIZE);
		free(out);
	}
}

static void damage_is_seen(void **state)
{
	size_t i, size, got;
	uint8_t *out;

	(void)state;
	for (i = 0; i < PACKERS; i++) {
		size = make_file(packers[i]);
		/* Cut off; bigger than it says; smaller. */
		assert_int_equal(unpack_kernel(file, size - 1, &out, &got),
				 -EBADMSG);
		file[size - 4]++;
		assert_int_equal(unpack_kernel(file, size, &out, &got),
				 -EBADMSG);
		file[size - 4] -= 2;
		assert_int_equal(unpack_kernel(file, size, &out, &got),
				 -EBADMSG);
		file[size - 1] = 0xff;
		assert_int_equal(unpack_kernel(file, size, &out, &got),
				 -EBADMSG);
	}
}

static void others_are_refused(void **state)
{
	size_t size = make_file(pack_zstd), got;
	uint8_t *out;

	(void)state;
	file[SETUP + OFFSET] = 'B';
	assert_int_equal(unpack_kernel(file, size, &out, &got), -EOPNOTSUPP);
	file[0x206] = 7;
	assert_int_equal(unpack_kernel(file, size, &out, &got), -ENOEXEC);
	make_file(pack_zstd);
	file[0x202] = 'h';
	assert_int_equal(unpack_kernel(file, size, &out, &got), -ENOEXEC);
	assert_int_equal(unpack_kernel(file, 0x24f, &out, &got), -ENOEXEC);
}

static Elf64_Phdr *make_elf(uint64_t address)
{
	Elf64_Ehdr *head = (Elf64_Ehdr *)file;
	Elf64_Phdr *segments = (Elf64_Phdr *)(file + sizeof(*head));

	memset(file, 0, sizeof(file));
	memcpy(head->e_ident, ELFMAG, SELFMAG);
	head->e_ident[EI_CLASS] = ELFCLASS64;
	head->e_machine = EM_X86_64;
	head->e_phoff = sizeof(*head);
	head->e_phentsize = sizeof(*segments);
	head->e_phnum = 2;
	segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = 4096,
				    .p_filesz = 4096, .p_memsz = 4096 };
	segments[1] = segments[0];
	segments[1].p_vaddr = address;
	segments[1].p_memsz = 8192;
	memset(file + 4096, 'k', 4096);
	return &segments[1];
}

static void segments_go_to_their_addresses(void **state)
{
	const uint64_t address = KERNEL_WINDOW + 0x1001000;
	struct image image;

	(void)state;
	make_elf(address);
	assert_int_equal(image_from_elf(&image, file, 8192), 0);
	assert_int_equal(*image_at(&image, address, 4096), 'k');
	assert_int_equal(*image_at(&image, address + 4095, 4097), 'k');
	assert_int_equal(*image_at(&image, address + 4096, 4096), 0);
	assert_null(image_at(&image, image.end - 8, 9));
	assert_null(image_at(&image, 0, 1));
	assert_null(image_at(&image, address, SIZE_MAX));
	assert_int_equal(image.span_count, 1);
	image_exit(&image);
}

static void damaged_segments_are_refused(void **state)
{
	const uint64_t address = KERNEL_WINDOW + 0x1000000;
	struct image image;

	(void)state;
	make_elf(address);
	assert_int_equal(image_from_elf(&image, file, 8191), -EBADMSG);
	assert_int_equal(image_from_elf(&image, file, 150), -EBADMSG);
	assert_int_equal(image_from_elf(&image, file, 60), -ENOEXEC);
	make_elf(address)->p_memsz = 1ull << 31;
	assert_int_equal(image_from_elf(&image, file, 8192), -EBADMSG);
	make_elf(address)->p_offset = UINT64_MAX - 100;
	assert_int_equal(image_from_elf(&image, file, 8192), -EBADMSG);
	make_elf(0x400000);
	assert_int_equal(image_from_elf(&image, file, 8192), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_way_is_undone, setup),
		cmocka_unit_test_setup(damage_is_seen, setup),
		cmocka_unit_test_setup(others_are_refused, setup),
		cmocka_unit_test(segments_go_to_their_addresses),
		cmocka_unit_test(damaged_segments_are_refused),
	};

	return cmocka_run_group_tests_name("unpack", tests, NULL, NULL);
}
