// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory that comes as descriptors: what is read, and what is refused. */
#include <fcntl.h>
#include <sys/mman.h>

#include "rig.h"
#include "sharer.h"

static int serve(int fd, void *arg)
{
	static const uint8_t page[4096] = "by KVM";
	struct sharer *s = arg;
	struct frame frame;
	int err = sharer_begin(fd, s);

	if (!err)
		err = script_command(fd, &frame);
	if (!err)
		err = script_version(fd, &frame, 1);
	while (!err && !script_command(fd, &frame)) {
		s->commands++;
		err = script_reply(fd, &frame, 0, page,
				   ((struct kvmi_vm_read_physical *)
				    frame.body)->size);
	}
	return err;
}

static int open_with(struct sharer *s, struct rig *rig, int share)
{
	struct kvmi_options opts;
	int fd, err;

	rig_options(&opts);
	opts.share_memory = share;
	fd = rig_start(rig, serve, s);
	err = kvmi_vm_open_fd(&rig->vm, fd, &opts);
	if (err) {
		rig_stop(rig, fd);
		sharer_uninit(s);
	}
	return err;
}

static void close_all(struct sharer *s, struct rig *rig)
{
	kvmi_vm_close(rig->vm);
	rig_stop(rig, -1);
	sharer_uninit(s);
}

static void put(const struct sharer *s, const char *text, uint64_t offset)
{
	assert_int_equal(pwrite(s->fds[0], text, 8, (off_t)offset), 8);
}

static void expect_bytes(struct rig *rig, uint64_t gpa, const char *text)
{
	const void *data = NULL;
	char copy[8];

	assert_err(0, kvmi_vm_read_physical(rig->vm, gpa, copy, 8));
	assert_memory_equal(copy, text, 8);
	assert_err(0, kvmi_vm_map_physical(rig->vm, gpa, 8, &data));
	assert_memory_equal(data, text, 8);
}

static void memory_is_read_in_place(void **state)
{
	struct sharer s;
	struct rig rig;

	(void)state;
	sharer_init(&s);
	put(&s, "at 1 MiB", MIB);
	put(&s, "at 4 GiB", 5 * MIB);
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_MUST));
	expect_bytes(&rig, MIB, "at 1 MiB");
	expect_bytes(&rig, 4096 * MIB, "at 4 GiB");
	put(&s, "changed.", MIB);
	expect_bytes(&rig, MIB, "changed.");
	put(&s, "the last", 7 * MIB - 8);
	expect_bytes(&rig, 4098 * MIB - 8, "the last");
	assert_int_equal(s.commands, 0);
	close_all(&s, &rig);
}

static void the_rest_is_read_by_kvm(void **state)
{
	const void *data;
	struct sharer s;
	struct rig rig;
	char copy[16];
	int status[2] = { 7, 7 };
	static uint8_t pages[2 * 4096];

	(void)state;
	sharer_init(&s);
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_TRY));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, 0, 8, &data));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, MIB - 1, 1, &data));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, 5 * MIB, 1, &data));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, 5 * MIB - 1, 2, &data));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, MIB, ~0ull, &data));
	assert_err(-ENOENT, kvmi_vm_map_physical(rig.vm, ~0ull, 1, &data));
	assert_err(-EINVAL, kvmi_vm_map_physical(rig.vm, MIB, 0, &data));
	assert_err(0, kvmi_vm_map_physical(rig.vm, 5 * MIB - 1, 1, &data));

	assert_err(0, kvmi_vm_read_physical(rig.vm, 0x1000, copy, 6));
	assert_memory_equal(copy, "by KVM", 6);
	assert_int_equal(s.commands, 1);
	/* Over the end: all of it by KVM, in two pages. */
	assert_err(0, kvmi_vm_read_physical(rig.vm, 5 * MIB - 8, copy, 16));
	assert_int_equal(s.commands, 3);
	assert_err(0, kvmi_vm_read_pages(rig.vm, MIB, pages, 2, status));
	assert_int_equal(s.commands, 3);
	assert_int_equal(status[0] | status[1], 0);
	close_all(&s, &rig);
}

/* Both ends of a join in the addresses, in different files. */
static void ranges_that_touch_are_one(void **state)
{
	struct sharer s;
	struct rig rig;
	const void *data;
	char copy[8];

	(void)state;
	sharer_init(&s);
	s.fds[1] = sharer_file(0);
	s.fd_count = 2;
	s.ranges[1] = (struct kvmi_handshake_range){
		.gpa = 5 * MIB, .size = MIB, .offset = 0, .fd = 1,
	};
	put(&s, "the LEFT", 5 * MIB - 8);
	assert_int_equal(pwrite(s.fds[1], "RIGHT", 5, 0), 5);
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_MUST));
	assert_err(0, kvmi_vm_read_physical(rig.vm, 5 * MIB - 4, copy, 8));
	assert_memory_equal(copy, "LEFTRIGH", 8);
	assert_int_equal(s.commands, 0);
	assert_err(-ENOENT,
		   kvmi_vm_map_physical(rig.vm, 5 * MIB - 4, 8, &data));
	close_all(&s, &rig);
}

/* A read of a file that has become shorter asks KVM, and is no signal. */
static void file_that_shrinks_is_left(void **state)
{
	struct sharer s;
	struct rig rig;
	char copy[8];

	(void)state;
	sharer_init(&s);
	close(s.fds[0]);
	s.fds[0] = sharer_file(0);
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_MUST));
	assert_int_equal(ftruncate(s.fds[0], 4096), 0);
	assert_err(0, kvmi_vm_read_physical(rig.vm, 2 * MIB, copy, 6));
	assert_memory_equal(copy, "by KVM", 6);
	assert_int_equal(s.commands, 1);
	close_all(&s, &rig);
}

static void nothing_is_read_after_the_end(void **state)
{
	const void *data;
	struct sharer s;
	struct rig rig;
	char copy[8];

	(void)state;
	sharer_init(&s);
	put(&s, "mapped..", MIB);
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_MUST));
	assert_err(0, kvmi_vm_map_physical(rig.vm, MIB, 8, &data));
	kvmi_vm_shutdown(rig.vm);
	assert_err(-ECONNRESET, kvmi_vm_read_physical(rig.vm, MIB, copy, 8));
	assert_memory_equal(data, "mapped..", 8);
	close_all(&s, &rig);
}

static void memory_has_to_be_asked_for(void **state)
{
	const void *data;
	struct sharer s;
	struct rig rig;

	(void)state;
	/* Descriptors that nobody asked for are not taken. */
	sharer_init(&s);
	s.has_no_record = true;
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_NO));
	assert_err(-EOPNOTSUPP, kvmi_vm_map_physical(rig.vm, MIB, 8, &data));
	close_all(&s, &rig);

	sharer_init(&s);
	s.features = KVMI_FEATURE_READY;
	s.has_no_record = true;
	assert_err(0, open_with(&s, &rig, KVMI_SHARE_TRY));
	assert_err(-EOPNOTSUPP, kvmi_vm_map_physical(rig.vm, MIB, 8, &data));
	close_all(&s, &rig);

	sharer_init(&s);
	s.features = KVMI_FEATURE_READY;
	assert_err(-EOPNOTSUPP, open_with(&s, &rig, KVMI_SHARE_MUST));
	sharer_init(&s);
	assert_err(-EINVAL, open_with(&s, &rig, 3));
}

static int open_descriptors(void)
{
	int fd, count = 0;

	for (fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void nonsense_is_refused(void **state)
{
	static const struct kvmi_handshake_range bad[] = {
		{ .gpa = 0, .size = 0 },
		{ .gpa = 0, .size = MIB, .fd = 1 },
		{ .gpa = 0, .size = MIB, .fd = ~0u },
		{ .gpa = 0, .size = MIB, .offset = SHARER_FILE_SIZE },
		{ .gpa = 0, .size = MIB, .offset = ~0ull - 4096 },
		{ .gpa = 0, .size = 1ull << 63 },
		{ .gpa = ~0ull - 4096, .size = MIB },
		{ .gpa = 0, .size = SHARER_FILE_SIZE + 1 },
	};
	int before = open_descriptors();
	struct sharer s;
	struct rig rig;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		sharer_init(&s);
		s.ranges[0] = bad[i];
		s.range_count = 1;
		assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	}
	sharer_init(&s);		/* out of order */
	s.ranges[0] = sharer_ranges[1];
	s.ranges[1] = sharer_ranges[0];
	assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	sharer_init(&s);		/* one over the other */
	s.ranges[1].gpa = 5 * MIB - 1;
	assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	sharer_init(&s);		/* no file of memory */
	close(s.fds[0]);
	s.fds[0] = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	sharer_init(&s);		/* one that is not used */
	s.fds[1] = sharer_file(0);
	s.fd_count = 2;
	assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	sharer_init(&s);
	s.has_no_record = true;
	assert_err(-EPROTO, open_with(&s, &rig, KVMI_SHARE_MUST));
	assert_int_equal(open_descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_read_in_place),
		cmocka_unit_test(the_rest_is_read_by_kvm),
		cmocka_unit_test(ranges_that_touch_are_one),
		cmocka_unit_test(file_that_shrinks_is_left),
		cmocka_unit_test(nothing_is_read_after_the_end),
		cmocka_unit_test(memory_has_to_be_asked_for),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests_name("shared", tests, NULL, NULL);
}
