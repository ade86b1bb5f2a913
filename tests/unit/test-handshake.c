// SPDX-License-Identifier: GPL-2.0-or-later
/* The handshake, byte by byte, with true and false sizes, both ways. */
#include "handshake.h"
#include "rig.h"

static uint8_t big[KVMI_HANDSHAKE_MAX];

static void make(struct kvmi_qemu2introspector *msg, uint32_t size)
{
	peer_hello(msg, "tester", 0x42);
	msg->struct_size = size;
	memcpy(big, msg, sizeof(*msg));
}

static int feed(struct hello *hello, size_t size, size_t step)
{
	size_t pos = 0, n;
	int err = 0;

	while (pos < size && !err) {
		n = hello_wants(hello);
		assert_true(n > 0);
		n = n < step ? n : step;
		err = hello_feed(hello, big + pos, n);
		pos += n;
	}
	return err;
}

static void check_size(uint32_t size, size_t step, uint64_t max_gpa)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_qemu2introspector msg;
	struct hello hello = { 0 };

	make(&msg, size);
	assert_err(0, feed(&hello, size, step));
	assert_int_equal(hello_wants(&hello), 0);
	assert_err(0, hello_identity(&hello, &id));
	assert_string_equal(id.name, "tester");
	assert_memory_equal(id.uuid, msg.uuid, sizeof(id.uuid));
	assert_int_equal(id.start_time, msg.start_time);
	assert_int_equal(id.max_gpa, max_gpa);
}

static void all_forms_are_read(void **state)
{
	static const size_t steps[] = { 1, 3, 7, 4096, KVMI_HANDSHAKE_MAX };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		check_size(96, steps[i], 0);
		check_size(103, steps[i], 0);
		check_size(104, steps[i], 1 << 30);
		check_size(105, steps[i], 1 << 30);
		check_size(104 + 40 + 24 * 8, steps[i], 1 << 30);
		check_size(KVMI_HANDSHAKE_MAX, steps[i], 1 << 30);
	}
}

static void false_sizes_are_refused(void **state)
{
	static const uint32_t bad[] = {
		0, 1, 3, 4, 5, 23, 24, 95, 65537, 0x7fffffff, 0x80000000,
		0xfffffffe, 0xffffffff,
	};
	struct kvmi_qemu2introspector msg;
	struct hello hello;
	size_t i, step;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (step = 1; step <= 4; step++) {
			hello = (struct hello){ 0 };
			make(&msg, bad[i]);
			assert_err(-EPROTO, feed(&hello, sizeof(msg), step));
			assert_int_equal(hello.got, 4);
		}
	}
}

static void count_of_areas_is_no_max_gpa(void **state)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_qemu2introspector msg;
	struct hello hello = { 0 };

	(void)state;
	make(&msg, 104 + 24 * 8);
	msg.max_gpa = 8;
	memcpy(big, &msg, sizeof(msg));
	assert_err(0, feed(&hello, msg.struct_size, 16));
	assert_err(0, hello_identity(&hello, &id));
	assert_int_equal(id.max_gpa, 0);
}

static void name_without_end_is_cut(void **state)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct kvmi_qemu2introspector msg;
	struct hello hello = { 0 };

	(void)state;
	make(&msg, 104);
	memset(msg.name, 'x', sizeof(msg.name));
	memcpy(big, &msg, sizeof(msg));
	assert_err(0, feed(&hello, 104, 104));
	assert_err(0, hello_identity(&hello, &id));
	assert_int_equal(strlen(id.name), KVMI_NAME_SIZE - 1);
}

static void identity_carries_its_size(void **state)
{
	struct kvmi_identity id = { .size = 0 };
	struct kvmi_qemu2introspector msg;
	struct hello hello = { 0 };

	(void)state;
	make(&msg, 104);
	feed(&hello, 104, 104);
	assert_err(-EINVAL, hello_identity(&hello, &id));
	id.size = offsetof(struct kvmi_identity, name);
	assert_err(0, hello_identity(&hello, &id));
	assert_int_equal(id.uuid[0], 0x42);
	assert_int_equal(id.name[0], 0);
}

static void vm_is_told_by_uuid_or_name(void **state)
{
	struct kvmi_qemu2introspector msg;
	struct hello hello = { 0 };

	(void)state;
	make(&msg, 104);
	feed(&hello, 104, 104);
	assert_true(hello_is_of(&hello, NULL));
	assert_true(hello_is_of(&hello, "tester"));
	assert_true(hello_is_of(&hello,
				"42424242-4242-4242-4242-424242424242"));
	assert_false(hello_is_of(&hello, "test"));
	assert_false(hello_is_of(&hello, ""));
	assert_false(hello_is_of(&hello,
				 "42424242-4242-4242-4242-424242424243"));
}

struct partial {
	size_t size;		/* bytes of the hello to send */
	bool is_silent;		/* then be silent, else hang up */
};

static int say_part(int fd, void *arg)
{
	struct kvmi_qemu2introspector hello;
	const struct partial *part = arg;
	uint8_t byte;

	peer_hello(&hello, "partial", 1);
	script_send(fd, &hello, part->size);
	if (part->is_silent)
		script_receive(fd, &byte, 1);
	return 0;
}

static int open_with(script_fn script, void *arg, struct kvmi_options *opts)
{
	struct kvmi_vm *vm;
	struct rig rig;
	int fd, err;

	fd = rig_start(&rig, script, arg);
	err = kvmi_vm_open_fd(&vm, fd, opts);
	if (!err) {
		kvmi_vm_close(vm);
		fd = -1;
	}
	rig_stop(&rig, fd);
	return err;
}

static void death_at_each_byte_of_the_hello(void **state)
{
	struct partial part = { 0 };
	struct kvmi_options opts;

	(void)state;
	rig_options(&opts);
	for (part.size = 0; part.size < 104; part.size++)
		assert_err(-ECONNRESET, open_with(say_part, &part, &opts));
	assert_err(-ECONNREFUSED, open_with(say_part, &part, &opts));
}

static void silence_times_out(void **state)
{
	struct partial part = { .is_silent = true };
	struct kvmi_options opts;

	(void)state;
	rig_options(&opts);
	opts.handshake_timeout = 30;
	for (part.size = 0; part.size < 104; part.size += 51)
		assert_err(-ETIMEDOUT, open_with(say_part, &part, &opts));
}

static int say_bytes(int fd, void *arg)
{
	struct kvmi_qemu2introspector hello;
	struct kvmi_introspector2qemu answer;
	uint8_t *byte = (uint8_t *)&hello;
	struct frame frame;
	size_t i;

	(void)arg;
	peer_hello(&hello, "bytes", 1);
	for (i = 0; i < sizeof(hello); i++)
		if (script_send(fd, byte + i, 1))
			return -EPIPE;
	for (i = 0; i < sizeof(answer); i++)
		if (script_receive(fd, (uint8_t *)&answer + i, 1))
			return -EPIPE;
	if (script_command(fd, &frame))
		return -EPIPE;
	return script_version(fd, &frame, 1);
}

static void hello_in_single_bytes(void **state)
{
	struct kvmi_options opts;

	(void)state;
	rig_options(&opts);
	assert_err(0, open_with(say_bytes, NULL, &opts));
}

static int check_key(int fd, void *arg)
{
	struct kvmi_qemu2introspector hello;
	struct frame frame;

	peer_hello(&hello, "locked", 1);
	if (peer_handshake(fd, &hello, arg) || script_command(fd, &frame))
		return 0;
	return script_version(fd, &frame, 1);
}

static void wrong_key_is_told(void **state)
{
	struct kvmi_options opts;
	struct options known;

	(void)state;
	rig_options(&opts);
	opts.key = "secret";
	opts.key_size = 6;
	opts.old_auth = 1;
	assert_err(0, options_read(&known, &opts));
	assert_err(0, open_with(check_key, known.hash, &opts));
	opts.key_size = 5;
	assert_err(-ECONNREFUSED, open_with(check_key, known.hash, &opts));
	opts.key = NULL;
	opts.key_size = 0;
	assert_err(-ECONNREFUSED, open_with(check_key, known.hash, &opts));
}

/* A program that has another key for this VM, or does not want it. */
struct judgement {
	int result;
	const uint8_t *hash;
	uint8_t told[KVMI_HASH_SIZE];
};

static int judge(void *data, const struct kvmi_identity *id,
		 uint8_t hash[KVMI_HASH_SIZE])
{
	struct judgement *j = data;

	if (strcmp(id->name, "locked"))
		return -EBADMSG;
	memcpy(j->told, hash, sizeof(j->told));
	if (j->hash)
		memcpy(hash, j->hash, KVMI_HASH_SIZE);
	return j->result;
}

static void program_judges_the_hello(void **state)
{
	static const uint8_t other[KVMI_HASH_SIZE] = { 1, 2, 3 };
	struct judgement j = { 0 };
	struct kvmi_options opts;
	struct options known;

	(void)state;
	rig_options(&opts);
	opts.key = "secret";
	opts.key_size = 6;
	opts.old_auth = 1;
	opts.hello = judge;
	opts.hello_data = &j;
	assert_err(0, options_read(&known, &opts));
	assert_err(0, open_with(check_key, known.hash, &opts));
	assert_memory_equal(j.told, known.hash, sizeof(j.told));
	j.hash = other;
	assert_err(-ECONNREFUSED, open_with(check_key, known.hash, &opts));
	assert_err(0, open_with(check_key, (void *)other, &opts));
	j.result = -EACCES;
	assert_err(-EACCES, open_with(check_key, (void *)other, &opts));
}

static int say_version_2(int fd, void *arg)
{
	struct kvmi_qemu2introspector hello;
	struct frame frame;

	(void)arg;
	peer_hello(&hello, "newer", 1);
	if (peer_handshake(fd, &hello, NULL) || script_command(fd, &frame))
		return -EPIPE;
	return script_version(fd, &frame, 2);
}

static void other_protocol_is_told(void **state)
{
	struct kvmi_options opts;

	(void)state;
	rig_options(&opts);
	assert_err(-EOPNOTSUPP, open_with(say_version_2, NULL, &opts));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_are_read),
		cmocka_unit_test(false_sizes_are_refused),
		cmocka_unit_test(count_of_areas_is_no_max_gpa),
		cmocka_unit_test(name_without_end_is_cut),
		cmocka_unit_test(identity_carries_its_size),
		cmocka_unit_test(vm_is_told_by_uuid_or_name),
		cmocka_unit_test(death_at_each_byte_of_the_hello),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(hello_in_single_bytes),
		cmocka_unit_test(wrong_key_is_told),
		cmocka_unit_test(program_judges_the_hello),
		cmocka_unit_test(other_protocol_is_told),
	};

	return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
