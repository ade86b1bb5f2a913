// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands, one to one with messages: what goes out, what comes back. */
#include "rig.h"

/* Answers one command as told, after it was checked. */
struct exchange {
	unsigned int id;
	const void *request;	/* expected */
	size_t request_size;
	int32_t err;		/* to answer */
	const void *reply;
	size_t reply_size;
};

static int answer_one(int fd, void *arg)
{
	const struct exchange *x = arg;
	struct frame frame;

	if (script_command(fd, &frame))
		return -EPIPE;
	if (frame.hdr.id != x->id || frame.hdr.size != x->request_size)
		return -EBADMSG;
	if (x->request_size && memcmp(frame.body, x->request, x->request_size))
		return -EILSEQ;
	return script_reply(fd, &frame, x->err, x->reply, x->reply_size);
}

static void version(void **state)
{
	struct kvmi_get_version_reply reply = { 1, 8184, { .singlestep = 1 } };
	struct exchange x = { .id = KVMI_GET_VERSION, .reply = &reply,
			      .reply_size = sizeof(reply) };
	struct kvmi_get_version_reply got;
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_get_version(rig.vm, &got));
	assert_memory_equal(&got, &reply, sizeof(got));
	rig_close(&rig);
}

static int try_check(int (*check)(struct kvmi_vm *, unsigned int),
		     unsigned int message, unsigned int id, int err)
{
	struct kvmi_vm_check_command req = { .id = (uint16_t)id };
	struct exchange x = { .id = message, .request = &req,
			      .request_size = sizeof(req), .err = err };
	struct rig rig;
	int got;

	rig_open(&rig, answer_one, &x);
	got = check(rig.vm, id);
	rig_close(&rig);
	return got;
}

static void checks(void **state)
{
	static const struct {
		int wire, expected;
	} answers[] = {
		{ 0, 0 }, { -KVM_EPERM, -EPERM }, { -KVM_ENOENT, -ENOENT },
		{ -KVM_EINVAL, -EINVAL }, { -KVM_ENOSYS, -ENOSYS },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_err(answers[i].expected,
			   try_check(kvmi_vm_check_command,
				     KVMI_VM_CHECK_COMMAND, 12,
				     answers[i].wire));
		assert_err(answers[i].expected,
			   try_check(kvmi_vm_check_event, KVMI_VM_CHECK_EVENT,
				     19, answers[i].wire));
	}
}

static void info(void **state)
{
	struct kvmi_vm_get_info_reply reply = { .vcpu_count = 3 };
	struct exchange x = { .id = KVMI_VM_GET_INFO, .reply = &reply,
			      .reply_size = sizeof(reply) };
	struct kvmi_vm_get_info_reply got;
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_get_info(rig.vm, &got));
	assert_int_equal(got.vcpu_count, 3);
	rig_close(&rig);
}

static void max_gfn_of_a_newer_kernel(void **state)
{
	uint64_t reply[2] = { 0x40000, 99 };
	struct exchange x = { .id = KVMI_VM_GET_MAX_GFN, .reply = reply,
			      .reply_size = sizeof(reply) };
	struct rig rig;
	uint64_t gfn;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_get_max_gfn(rig.vm, &gfn));
	assert_int_equal(gfn, 0x40000);
	rig_close(&rig);
}

static void controls(void **state)
{
	struct kvmi_vm_control_events events = { .event_id = 0, .enable = 1 };
	struct kvmi_vm_control_cleanup cleanup = { .enable = 0 };
	struct exchange x = { .id = KVMI_VM_CONTROL_EVENTS, .request = &events,
			      .request_size = sizeof(events) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_control_events(rig.vm, 0, true));
	rig_close(&rig);

	x = (struct exchange){ .id = KVMI_VM_CONTROL_CLEANUP,
			       .request = &cleanup,
			       .request_size = sizeof(cleanup) };
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_control_cleanup(rig.vm, false));
	rig_close(&rig);
}

static void page_access(void **state)
{
	struct {
		struct kvmi_vm_set_page_access head;
		struct kvmi_page_access_entry entries[2];
	} request = {
		.head = { .count = 2 },
		.entries = {
			{ .gpa = 0x1000, .access = KVMI_PAGE_ACCESS_R },
			{ .gpa = 0x5000, .access = 7 },
		},
	};
	struct exchange x = { .id = KVMI_VM_SET_PAGE_ACCESS,
			      .request = &request,
			      .request_size = sizeof(request) };
	struct rig rig;

	(void)state;
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_set_page_access(rig.vm, request.entries, 2));
	rig_close(&rig);

	rig_open(&rig, script_nothing, NULL);
	assert_err(-EINVAL, kvmi_vm_set_page_access(rig.vm, request.entries,
						    KVMI_PAGES_MAX + 1));
	rig_close(&rig);
}

static void impossible_arguments(void **state)
{
	static uint8_t data[KVMI_MAX_MSG_SIZE + 1];
	int status[2];
	struct rig rig;

	(void)state;
	rig_open(&rig, script_nothing, NULL);
	assert_err(-EINVAL, kvmi_vm_check_command(rig.vm, 65536));
	assert_err(-EINVAL, kvmi_vm_check_event(rig.vm, 65536));
	assert_err(-EINVAL, kvmi_vm_control_events(rig.vm, 65536, true));
	assert_err(-EINVAL, kvmi_vm_command(rig.vm, 0, NULL, 0, NULL, NULL));
	assert_err(-EINVAL, kvmi_vm_command(rig.vm, 1, NULL, 0, NULL, NULL));
	assert_err(-EINVAL, kvmi_vm_command(rig.vm, 65536, NULL, 0, NULL, NULL));
	assert_err(-EINVAL, kvmi_vm_command(rig.vm, 2, data, sizeof(data), NULL,
					    NULL));
	assert_err(-EINVAL, kvmi_vm_read_physical(rig.vm, UINT64_MAX, data, 2));
	assert_err(-EINVAL, kvmi_vm_write_physical(rig.vm, UINT64_MAX, data, 2));
	assert_err(-EINVAL, kvmi_vm_read_pages(rig.vm, 1, data, 1, status));
	assert_err(-EINVAL, kvmi_vm_read_pages(rig.vm, 0, data, SIZE_MAX,
					       status));
	assert_err(0, kvmi_vm_read_physical(rig.vm, 0, data, 0));
	assert_err(0, kvmi_vm_write_physical(rig.vm, 0, data, 0));
	rig_close(&rig);
}

static void any_command(void **state)
{
	uint8_t request[KVMI_MAX_MSG_SIZE], reply[64], got[64];
	struct exchange x = { .id = 0x8001, .request = request,
			      .request_size = sizeof(request), .reply = reply,
			      .reply_size = sizeof(reply) };
	size_t size = sizeof(got);
	struct rig rig;

	(void)state;
	memset(request, 0x5a, sizeof(request));
	memset(reply, 0xa5, sizeof(reply));
	rig_open(&rig, answer_one, &x);
	assert_err(0, kvmi_vm_command(rig.vm, 0x8001, request, sizeof(request),
				      got, &size));
	assert_int_equal(size, sizeof(reply));
	assert_memory_equal(got, reply, sizeof(reply));
	rig_close(&rig);

	size = 63;
	rig_open(&rig, answer_one, &x);
	assert_err(-EMSGSIZE, kvmi_vm_command(rig.vm, 0x8001, request,
					      sizeof(request), got, &size));
	assert_int_equal(size, 64);
	rig_close(&rig);

	rig_open(&rig, answer_one, &x);
	assert_err(-EMSGSIZE, kvmi_vm_command(rig.vm, 0x8001, request,
					      sizeof(request), NULL, NULL));
	rig_close(&rig);
}

static int allow_later(int fd, void *arg)
{
	int *refusals = arg;
	struct frame frame;
	int left;

	while (!script_command(fd, &frame)) {
		left = __atomic_fetch_sub(refusals, 1, __ATOMIC_SEQ_CST);
		if (script_reply(fd, &frame, left > 0 ? -KVM_EPERM : 0, NULL, 0))
			return -EPIPE;
	}
	return 0;
}

static void permission_that_comes_late(void **state)
{
	struct kvmi_options opts;
	int refusals = 3;
	struct rig rig;

	(void)state;
	rig_options(&opts);
	opts.settle_time = 5000;
	rig_open_with(&rig, allow_later, &refusals, &opts);
	assert_err(0, kvmi_vm_control_cleanup(rig.vm, true));
	assert_int_equal(__atomic_load_n(&refusals, __ATOMIC_SEQ_CST), -1);
	rig_close(&rig);
}

static void permission_that_never_comes(void **state)
{
	struct kvmi_options opts;
	int refusals = 1000000;
	uint8_t data[4096 * 3];
	struct rig rig;

	(void)state;
	rig_options(&opts);
	opts.settle_time = 50;
	rig_open_with(&rig, allow_later, &refusals, &opts);
	assert_err(-EPERM, kvmi_vm_control_cleanup(rig.vm, true));
	assert_true(__atomic_exchange_n(&refusals, 1000000, __ATOMIC_SEQ_CST) <
		    1000000 - 2);
	assert_err(-EPERM, kvmi_vm_control_cleanup(rig.vm, true));
	assert_err(-EPERM, kvmi_vm_read_physical(rig.vm, 0, data, sizeof(data)));
	assert_int_equal(__atomic_load_n(&refusals, __ATOMIC_SEQ_CST),
			 1000000 - 4);
	rig_close(&rig);
}

static void who_it_is(void **state)
{
	struct kvmi_identity id = { .size = sizeof(id) };
	struct rig rig;

	(void)state;
	rig_open(&rig, script_nothing, NULL);
	assert_err(0, kvmi_vm_get_identity(rig.vm, &id));
	assert_string_equal(id.name, "rig");
	assert_string_equal(kvmi_vm_get_name(rig.vm), "rig");
	assert_true(llabs(kvmi_vm_get_session_time(rig.vm) - time(NULL)) < 60);
	assert_true(kvmi_vm_get_fd(rig.vm) >= 0);
	id.size = 0;
	assert_err(-EINVAL, kvmi_vm_get_identity(rig.vm, &id));
	assert_int_equal(rig.log_count, 1);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version),
		cmocka_unit_test(checks),
		cmocka_unit_test(info),
		cmocka_unit_test(max_gfn_of_a_newer_kernel),
		cmocka_unit_test(controls),
		cmocka_unit_test(page_access),
		cmocka_unit_test(impossible_arguments),
		cmocka_unit_test(any_command),
		cmocka_unit_test(permission_that_comes_late),
		cmocka_unit_test(permission_that_never_comes),
		cmocka_unit_test(who_it_is),
	};

	return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
