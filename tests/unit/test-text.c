// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts and options: UUIDs, errors, versions, structures that carry a size. */
#include "options.h"
#include "channel.h"
#include "rig.h"

int wire_cxx_version(void);

static void cxx_sees_the_same_contract(void **state)
{
	(void)state;
	assert_int_equal(wire_cxx_version(), KVMI_VERSION);
}

static void version_is_three_numbers(void **state)
{
	int a, b, c;

	(void)state;
	assert_int_equal(sscanf(kvmi_library_version(), "%d.%d.%d", &a, &b, &c),
			 3);
}

static void uuid_goes_there_and_back(void **state)
{
	static const char text[] = "01234567-89ab-cdef-0123-456789abcdef";
	uint8_t uuid[KVMI_UUID_SIZE];
	char back[KVMI_UUID_TEXT_SIZE];

	(void)state;
	assert_err(0, kvmi_uuid_parse(text, uuid));
	kvmi_uuid_format(uuid, back);
	assert_string_equal(text, back);
	assert_err(0, kvmi_uuid_parse("01234567-89AB-CDEF-0123-456789ABCDEF",
				      uuid));
}

static void bad_uuids_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "0", "01234567-89ab-cdef-0123-456789abcde",
		"01234567-89ab-cdef-0123-456789abcdef0",
		"0123456789abcdef0123456789abcdef----",
		"01234567-89ab-cdef-0123-456789abcdeg",
		"01234567_89ab-cdef-0123-456789abcdef",
		"/1234567-89ab-cdef-0123-456789abcdef",
	};
	uint8_t uuid[KVMI_UUID_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(-EINVAL, kvmi_uuid_parse(bad[i], uuid));
}

static void every_error_has_a_text(void **state)
{
	static const int errors[] = {
		0, -EPERM, -ENOENT, -ENOSYS, -EOPNOTSUPP, -EINVAL, -EAGAIN,
		-EBUSY, -ENOMEM, -ETIMEDOUT, -ECONNRESET, -ECONNREFUSED,
		-EPROTO, -EREMOTEIO, -EMSGSIZE, -E2BIG, -EADDRINUSE, -EIO,
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		assert_true(strlen(kvmi_strerror(errors[i])) > 5);
	assert_non_null(strstr(kvmi_strerror(-EPERM), "not allow"));
	assert_string_equal(kvmi_strerror(-100000), "an unknown error");
}

static void wire_errors_become_errno(void **state)
{
	(void)state;
	assert_err(0, error_from_wire(0));
	assert_err(-EPERM, error_from_wire(-KVM_EPERM));
	assert_err(-ENOENT, error_from_wire(-KVM_ENOENT));
	assert_err(-EAGAIN, error_from_wire(-KVM_EAGAIN));
	assert_err(-ENOMEM, error_from_wire(-KVM_ENOMEM));
	assert_err(-EBUSY, error_from_wire(-KVM_EBUSY));
	assert_err(-EINVAL, error_from_wire(-KVM_EINVAL));
	assert_err(-EOPNOTSUPP, error_from_wire(-KVM_EOPNOTSUPP));
	assert_err(-ENOSYS, error_from_wire(-KVM_ENOSYS));
	assert_err(-EREMOTEIO, error_from_wire(-77));
	assert_err(-EREMOTEIO, error_from_wire(INT32_MIN));
	assert_err(-EPROTO, error_from_wire(1));
}

static void options_have_defaults(void **state)
{
	static const uint8_t none[KVMI_HANDSHAKE_HASH_SIZE];
	struct options opts;

	(void)state;
	assert_err(0, options_read(&opts, NULL));
	assert_int_equal(opts.socket_mode, 0600);
	assert_int_equal(opts.handshake_timeout, 10000);
	assert_int_equal(opts.command_timeout, 15000);
	assert_int_equal(opts.settle_time, 1000);
	assert_memory_equal(opts.hash, none, sizeof(none));
}

static void key_is_hashed(void **state)
{
	/* SHA-1 of "abc", from the standard. */
	static const uint8_t hash[] = {
		0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
		0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d,
	};
	const uint8_t zeros[sizeof(hash)] = { 0 };
	struct kvmi_options user;
	struct options opts;

	(void)state;
	kvmi_options_init(&user);
	user.key = "abc";
	user.key_size = 3;
	assert_err(0, options_read(&opts, &user));
	assert_memory_equal(opts.hash, zeros, sizeof(hash));
	user.old_auth = 1;
	assert_err(0, options_read(&opts, &user));
	assert_memory_equal(opts.hash, hash, sizeof(hash));
}

static void bad_options_are_refused(void **state)
{
	struct {
		struct kvmi_options known;
		uint64_t newer;
	} user = { 0 };
	struct options opts;

	(void)state;
	assert_err(-EINVAL, options_read(&opts, &user.known));
	user.known.size = 4097;
	assert_err(-E2BIG, options_read(&opts, &user.known));
	user.known.size = sizeof(user);
	assert_err(0, options_read(&opts, &user.known));
	user.newer = 1;
	assert_err(-E2BIG, options_read(&opts, &user.known));
	user.known.size = sizeof(size_t);
	user.known.backlog = -1;
	assert_err(0, options_read(&opts, &user.known));
	user.known.size = sizeof(user.known);
	assert_err(-EINVAL, options_read(&opts, &user.known));
	user.known.backlog = 0;
	user.known.socket_mode = 01000;
	assert_err(-EINVAL, options_read(&opts, &user.known));
	user.known.socket_mode = 0;
	user.known.key_size = 1;
	assert_err(-EINVAL, options_read(&opts, &user.known));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cxx_sees_the_same_contract),
		cmocka_unit_test(version_is_three_numbers),
		cmocka_unit_test(uuid_goes_there_and_back),
		cmocka_unit_test(bad_uuids_are_refused),
		cmocka_unit_test(every_error_has_a_text),
		cmocka_unit_test(wire_errors_become_errno),
		cmocka_unit_test(options_have_defaults),
		cmocka_unit_test(key_is_hashed),
		cmocka_unit_test(bad_options_are_refused),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
