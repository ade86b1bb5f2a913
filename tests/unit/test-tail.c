// SPDX-License-Identifier: GPL-2.0-or-later
/* The records behind the hello: what is read, what is dropped or refused. */
#include "handshake.h"
#include "rig.h"

static uint8_t hello_bytes[KVMI_HANDSHAKE_MAX];
static size_t hello_size;

static void begin(void)
{
	struct kvmi_qemu2introspector msg;

	memset(hello_bytes, 0, sizeof(hello_bytes));
	peer_hello(&msg, "tester", 0x42);
	memcpy(hello_bytes, &msg, sizeof(msg));
	hello_size = sizeof(msg);
}

static void append(uint16_t type, const void *content, size_t size)
{
	hello_size = peer_append(hello_bytes, hello_size, type, content, size);
}

static void append_features(void)
{
	const struct kvmi_handshake_features features = { .features = 5 };

	append(KVMI_RECORD_FEATURES, &features, sizeof(features));
}

static const struct kvmi_handshake_area areas[] = {
	{ .gpa = 0, .size = 0xa0000, .type = KVMI_AREA_RAM },
	{ .gpa = 0xf0000, .size = 0x10000, .type = KVMI_AREA_RESERVED },
	{ .gpa = 1ull << 32, .size = 1ull << 30, .type = KVMI_AREA_RAM },
};

static int feed(struct hello *hello, size_t step)
{
	uint32_t size = (uint32_t)hello_size;
	size_t pos = 0, n;
	int err = 0;

	memset(hello, 0, sizeof(*hello));
	memcpy(hello_bytes, &size, sizeof(size));
	while ((n = hello_wants(hello)) && !err) {
		n = n < step ? n : step;
		err = hello_feed(hello, hello_bytes + pos, n);
		pos += n;
	}
	return err;
}

static void areas_are_told(void **state)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	static struct hello hello;
	unsigned int i;
	size_t step;

	(void)state;
	for (step = 1; step < 300; step += 13) {
		begin();
		append_features();
		append(0x7777, "unknown", 7);
		append(KVMI_RECORD_E820, areas, sizeof(areas));
		assert_err(0, feed(&hello, step));
		assert_int_equal(hello.tail.features, 5);
		for (i = 0; i < 3; i++) {
			assert_err(0, hello_area(&hello, i, &area));
			assert_int_equal(area.gpa, areas[i].gpa);
			assert_int_equal(area.length, areas[i].size);
			assert_int_equal(area.type, areas[i].type);
		}
		assert_err(-ENOENT, hello_area(&hello, 3, &area));
	}
	area.size = 0;
	assert_err(-EINVAL, hello_area(&hello, 0, &area));
	area = (struct kvmi_memory_area){
		.size = offsetof(struct kvmi_memory_area, type),
		.type = 77,
	};
	assert_err(0, hello_area(&hello, 1, &area));
	assert_int_equal(area.type, 77);
}

static void tail_of_others_is_dropped(void **state)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	struct kvmi_qemu2introspector *msg = (void *)hello_bytes;
	static struct hello hello;

	(void)state;
	begin();
	append(KVMI_RECORD_E820, areas, sizeof(areas));
	assert_err(0, feed(&hello, 64));
	assert_err(-ENOENT, hello_area(&hello, 0, &area));

	/* The unmerged form: a count where max_gpa is, then its entries. */
	begin();
	msg->max_gpa = 3;
	append_features();
	append(KVMI_RECORD_E820, areas, sizeof(areas));
	assert_err(0, feed(&hello, 64));
	assert_err(-ENOENT, hello_area(&hello, 0, &area));

	begin();
	assert_err(0, feed(&hello, 64));
	assert_err(-ENOENT, hello_area(&hello, 0, &area));
	for (hello_size = 105; hello_size < 112; hello_size++)
		assert_err(0, feed(&hello, 64));
}

/* Cut at each byte it is malformed, except between two records. */
static void cut_tail_is_refused(void **state)
{
	static struct hello hello;
	size_t whole, first;

	(void)state;
	begin();
	append_features();
	first = hello_size;
	append(KVMI_RECORD_E820, areas, sizeof(areas));
	whole = hello_size;
	for (hello_size = 112; hello_size < whole; hello_size++)
		assert_err(hello_size == first ? 0 : -EPROTO,
			   feed(&hello, 64));
	assert_err(0, feed(&hello, 64));
}

static void false_sizes_are_refused(void **state)
{
	static const uint32_t bad[] = {
		23, 25, 73, 80, 0x7fffffff, 0x80000000, 0xfffffff8, 0xfffffff9,
		0xffffffff,
	};
	struct kvmi_handshake_record *record;
	static struct hello hello;
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		begin();
		append_features();
		at = hello_size;
		append(KVMI_RECORD_E820, areas, sizeof(areas));
		record = (void *)(hello_bytes + at);
		record->size = bad[i];
		assert_err(-EPROTO, feed(&hello, 64));
	}
}

static void twice_is_refused(void **state)
{
	static const struct {
		uint16_t type;
		size_t size;
		size_t wrong;
	} once[] = {
		{ KVMI_RECORD_FEATURES, 0, 7 },
		{ KVMI_RECORD_E820, 24, 23 },
		{ KVMI_RECORD_NONCE, 32, 31 },
		{ KVMI_RECORD_PROOF, 32, 40 },
		{ KVMI_RECORD_MEMORY, 32, 24 },
	};
	const uint8_t zeros[64] = { 0 };
	static struct hello hello;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(once) / sizeof(once[0]); i++) {
		begin();
		append_features();
		if (once[i].size)
			append(once[i].type, zeros, once[i].size);
		assert_err(0, feed(&hello, 64));
		append(once[i].type, zeros, once[i].size ?: 8);
		assert_err(-EPROTO, feed(&hello, 64));

		begin();
		append_features();
		append(once[i].type, zeros, once[i].wrong);
		assert_err(-EPROTO, feed(&hello, 64));
	}
	begin();
	append(KVMI_RECORD_FEATURES, zeros, 7);
	assert_err(-EPROTO, feed(&hello, 64));
}

static void nothing_follows_a_proof(void **state)
{
	const uint8_t zeros[32] = { 0 };
	static struct hello hello;

	(void)state;
	begin();
	append_features();
	append(KVMI_RECORD_PROOF, zeros, 32);
	assert_err(0, feed(&hello, 64));
	append(0x7777, zeros, 1);
	assert_err(-EPROTO, feed(&hello, 64));
}

static void area_that_wraps_is_refused(void **state)
{
	struct kvmi_handshake_area area = { .gpa = ~0ull, .size = 1 };
	static struct hello hello;

	(void)state;
	begin();
	append_features();
	append(KVMI_RECORD_E820, &area, sizeof(area));
	assert_err(-EPROTO, feed(&hello, 64));

	area.size = 0;
	begin();
	append_features();
	append(KVMI_RECORD_E820, &area, sizeof(area));
	assert_err(0, feed(&hello, 64));
}

static int serve(int fd, void *arg)
{
	struct frame frame;

	(void)arg;
	if (script_send(fd, hello_bytes, hello_size) ||
	    script_receive(fd, frame.body, KVMI_HANDSHAKE_REPLY_MIN) ||
	    script_command(fd, &frame))
		return -EPIPE;
	return script_version(fd, &frame, 1);
}

static void session_tells_areas(void **state)
{
	struct kvmi_memory_area area = { .size = sizeof(area) };
	struct kvmi_options opts;
	struct kvmi_vm *vm;
	struct rig rig;
	uint32_t size;
	int fd;

	(void)state;
	begin();
	append(KVMI_RECORD_FEATURES, "\0\0\0\0\0\0\0", 8);
	append(KVMI_RECORD_E820, areas, sizeof(areas));
	size = (uint32_t)hello_size;
	memcpy(hello_bytes, &size, sizeof(size));
	rig_options(&opts);
	fd = rig_start(&rig, serve, NULL);
	assert_err(0, kvmi_vm_open_fd(&vm, fd, &opts));
	assert_err(0, kvmi_vm_get_memory_area(vm, 2, &area));
	assert_int_equal(area.gpa, areas[2].gpa);
	assert_err(-ENOENT, kvmi_vm_get_memory_area(vm, 3, &area));
	kvmi_vm_close(vm);
	rig_stop(&rig, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(areas_are_told),
		cmocka_unit_test(tail_of_others_is_dropped),
		cmocka_unit_test(cut_tail_is_refused),
		cmocka_unit_test(false_sizes_are_refused),
		cmocka_unit_test(twice_is_refused),
		cmocka_unit_test(nothing_follows_a_proof),
		cmocka_unit_test(area_that_wraps_is_refused),
		cmocka_unit_test(session_tells_areas),
	};

	return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
