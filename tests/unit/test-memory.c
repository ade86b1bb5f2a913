// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory: cut at page ends, many commands under way, holes told. */
#include "rig.h"

#define PAGES	600
#define SIZE	(PAGES * 4096UL)

static uint8_t guest[SIZE], data[SIZE];

static struct peer_memory memory = {
	.bytes = guest,
	.size = SIZE,
	.hole = 100 * 4096UL,
	.hole_end = 110 * 4096UL,
};

static int serve(int fd, void *arg)
{
	/* The peer refuses what is not within one page. */
	peer_serve(fd, arg);
	return 0;
}

static int fill(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < SIZE; i++)
		guest[i] = (uint8_t)(i * 7 + i / 4096);
	return 0;
}

static void reads_any_range(void **state)
{
	static const struct {
		uint64_t gpa;
		size_t size;
	} ranges[] = {
		{ 0, 1 }, { 0, 4096 }, { 4095, 1 }, { 4095, 2 }, { 1, 4096 },
		{ 4096, 4096 }, { 5, 99 * 4096 }, { 110 * 4096, 17 * 4096 },
		{ 110 * 4096 + 1, 16 * 4096 }, { 111 * 4096, 32 * 4096 },
		{ 112 * 4096 + 9, 33 * 4096 }, { 120 * 4096, SIZE - 120 * 4096 },
		{ SIZE - 1, 1 },
	};
	struct rig rig;
	size_t i;

	(void)state;
	rig_open(&rig, serve, &memory);
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		memset(data, 0, sizeof(data));
		assert_err(0, kvmi_vm_read_physical(rig.vm, ranges[i].gpa, data,
						    ranges[i].size));
		assert_memory_equal(data, guest + ranges[i].gpa, ranges[i].size);
	}
	rig_close(&rig);
}

static void writes_any_range(void **state)
{
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < SIZE; i++)
		data[i] = (uint8_t)(i * 13);
	rig_open(&rig, serve, &memory);
	assert_err(0, kvmi_vm_write_physical(rig.vm, 4095, data, 60 * 4096));
	assert_memory_equal(guest + 4095, data, 60 * 4096);
	assert_int_equal(guest[4094], (uint8_t)(4094 * 7));
	rig_close(&rig);
	fill(state);
}

static void holes_are_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, serve, &memory);
	assert_err(-ENOENT, kvmi_vm_read_physical(rig.vm, 0, data, SIZE));
	assert_err(-ENOENT, kvmi_vm_read_physical(rig.vm, SIZE - 1, data, 2));
	assert_err(-ENOENT, kvmi_vm_write_physical(rig.vm, 99 * 4096, guest,
						   2 * 4096));
	/* The session goes on. */
	assert_err(0, kvmi_vm_read_physical(rig.vm, 0, data, 4096));
	rig_close(&rig);
}

static void pages_have_a_status_each(void **state)
{
	int status[PAGES];
	struct rig rig;
	size_t i;

	(void)state;
	memset(data, 0xff, sizeof(data));
	rig_open(&rig, serve, &memory);
	assert_err(0, kvmi_vm_read_pages(rig.vm, 0, data, PAGES, status));
	for (i = 0; i < PAGES; i++) {
		if (i >= 100 && i < 110) {
			assert_err(-ENOENT, status[i]);
			assert_int_equal(data[i * 4096], 0);
			assert_int_equal(data[i * 4096 + 4095], 0);
		} else {
			assert_err(0, status[i]);
			assert_memory_equal(data + i * 4096, guest + i * 4096,
					    4096);
		}
	}
	rig_close(&rig);
}

static void ranges_have_a_result_each(void **state)
{
	static uint8_t room[4][70 * 4096];
	struct kvmi_range ranges[] = {
		{ 5, room[0], 3, 77 },
		{ 98 * 4096 + 1, room[1], 3 * 4096, 0 },
		{ UINT64_MAX, room[2], 2, 0 },
		{ 0, NULL, 0, 77 },
		{ 200 * 4096 - 7, room[2], 70 * 4096 - 1, 77 },
		{ SIZE, room[3], 8, 0 },
		{ SIZE - 8, room[3] + 8, 8, 77 },
	};
	struct rig rig;

	(void)state;
	memset(room, 0xff, sizeof(room));
	rig_open(&rig, serve, &memory);
	assert_err(0, kvmi_vm_readv_physical(rig.vm, NULL, 0));
	assert_err(0, kvmi_vm_readv_physical(rig.vm, ranges, 7));
	assert_err(0, ranges[0].err);
	assert_memory_equal(room[0], guest + 5, 3);
	assert_int_equal(room[0][3], 0xff);
	/* Two pages are there, and of the third not a byte. */
	assert_err(-ENOENT, ranges[1].err);
	assert_memory_equal(room[1], guest + 98 * 4096 + 1, 2 * 4096 - 1);
	assert_int_equal(room[1][2 * 4096], 0);
	assert_err(-EINVAL, ranges[2].err);
	assert_err(0, ranges[3].err);
	assert_err(0, ranges[4].err);
	assert_memory_equal(room[2], guest + 200 * 4096 - 7, 70 * 4096 - 1);
	assert_err(-ENOENT, ranges[5].err);
	assert_err(0, ranges[6].err);
	assert_memory_equal(room[3] + 8, guest + SIZE - 8, 8);
	rig_close(&rig);
}

static void written_ranges_have_a_result_each(void **state)
{
	static uint8_t room[40 * 4096];
	struct kvmi_range ranges[] = {
		{ 5, room, 3, 77 },
		{ 98 * 4096 + 1, room, 3 * 4096, 0 },
		{ UINT64_MAX, room, 2, 0 },
		{ 0, NULL, 0, 77 },
		{ 200 * 4096 - 7, room, sizeof(room) - 1, 77 },
		{ SIZE, room, 8, 0 },
		/* The later one counts. */
		{ SIZE - 8, room + 1, 8, 77 },
		{ SIZE - 8, room, 7, 77 },
	};
	struct rig rig;
	size_t i;

	for (i = 0; i < sizeof(room); i++)
		room[i] = (uint8_t)(i * 11 + 3);
	rig_open(&rig, serve, &memory);
	assert_err(0, kvmi_vm_writev_physical(rig.vm, NULL, 0));
	assert_err(0, kvmi_vm_writev_physical(rig.vm, ranges, 8));
	rig_close(&rig);
	for (i = 0; i < 8; i++)
		assert_err(i == 1 || i == 5 ? -ENOENT : i == 2 ? -EINVAL : 0,
			   ranges[i].err);
	assert_memory_equal(guest + 5, room, 3);
	assert_int_equal(guest[4], 4 * 7);
	assert_int_equal(guest[8], 8 * 7);
	assert_memory_equal(guest + 98 * 4096 + 1, room, 2 * 4096 - 1);
	assert_memory_equal(guest + 200 * 4096 - 7, room, sizeof(room) - 1);
	assert_memory_equal(guest + SIZE - 8, room, 7);
	assert_int_equal(guest[SIZE - 1], room[8]);
	fill(state);
}

static void ranges_end_with_the_session(void **state)
{
	struct kvmi_range range = { 0, data, 4096, 0 };
	struct rig rig;

	(void)state;
	rig_open(&rig, serve, &memory);
	kvmi_vm_shutdown(rig.vm);
	assert_err(-ECONNRESET, kvmi_vm_readv_physical(rig.vm, &range, 1));
	assert_err(-ECONNRESET, kvmi_vm_writev_physical(rig.vm, &range, 1));
	rig_close(&rig);
}

struct reader {
	struct kvmi_vm *vm;
	uint64_t gpa;
	size_t size;
	uint8_t *data;
	int err;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	int i;

	for (i = 0; i < 20 && !r->err; i++)
		r->err = kvmi_vm_read_physical(r->vm, r->gpa, r->data, r->size);
	return NULL;
}

static void eight_threads_read(void **state)
{
	const size_t part = 48 * 4096UL;
	struct reader readers[8];
	pthread_t threads[8];
	struct rig rig;
	int i;

	(void)state;
	rig_open(&rig, serve, &memory);
	for (i = 0; i < 8; i++) {
		readers[i] = (struct reader){
			rig.vm, 110 * 4096 + i * part, part, data + i * part, 0,
		};
		pthread_create(&threads[i], NULL, read_all, &readers[i]);
	}
	for (i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		assert_err(0, readers[i].err);
	}
	assert_memory_equal(data, guest + 110 * 4096, 8 * part);
	rig_close(&rig);
}

static int serve_some(int fd, void *arg)
{
	int i;

	for (i = 0; i < 20; i++)
		if (peer_answer(fd, arg))
			return -EPIPE;
	return 0;
}

static void death_in_the_middle(void **state)
{
	int status[PAGES];
	struct rig rig;

	(void)state;
	rig_open(&rig, serve_some, &memory);
	assert_err(-ECONNRESET, kvmi_vm_read_pages(rig.vm, 0, data, 64, status));
	rig_close(&rig);
}

static int read_only(int fd, void *arg)
{
	uint8_t byte;

	(void)arg;
	while (!script_receive(fd, &byte, 1))
		;
	return 0;
}

static void silence_in_the_middle(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, read_only, NULL);
	kvmi_vm_set_timeout(rig.vm, 30);
	assert_err(-ETIMEDOUT, kvmi_vm_read_physical(rig.vm, 0, data,
						     64 * 4096));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_any_range),
		cmocka_unit_test(writes_any_range),
		cmocka_unit_test(holes_are_told),
		cmocka_unit_test(pages_have_a_status_each),
		cmocka_unit_test(ranges_have_a_result_each),
		cmocka_unit_test(written_ranges_have_a_result_each),
		cmocka_unit_test(ranges_end_with_the_session),
		cmocka_unit_test(eight_threads_read),
		cmocka_unit_test(death_in_the_middle),
		cmocka_unit_test(silence_in_the_middle),
	};

	return cmocka_run_group_tests_name("memory", tests, fill, NULL);
}
